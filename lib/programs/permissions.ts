import {
  isConnected,
  type NetAddr,
  type SchemeAddr,
  type UnixAddr,
} from "../addr.ts";
import { localHostFor } from "../carriers/peers.ts";
import { isIp, isLoopback } from "../address/host.ts";

/** What a program may touch: hosts (`true`: all), files, variables, libc. */
export interface Needs {
  net?: string[] | true;
  read?: string[];
  write?: string[];
  env?: string[];
  ffi?: boolean;
}

const LOCALHOST = ["localhost", "127.0.0.1", "[::1]"];

/** A program was not given what it needs. The message holds the command to run. */
export class PermissionError extends Error {}

/** To bind that address. */
export function toBind({ hostname, port }: NetAddr): Needs {
  if (hostname.includes("%")) return { net: true };
  return { net: [`${bracketed(hostname)}:${port}`] };
}

/**
 * To bind that address and answer whoever writes. Over a connection that takes no
 * more; else only on loopback is it known beforehand who that can be.
 */
export function toAnswer(address: SchemeAddr): Needs {
  if (isConnected(address)) return toBind(address);
  const { hostname } = address;
  if (hostname === "localhost") return { net: LOCALHOST };
  const loopback = isLoopback(hostname);
  return { net: loopback ? [bracketed(hostname)] : true };
}

/** To connect to that peer. */
export function toConnect(address: SchemeAddr): Needs {
  const { transport, hostname, port } = address;
  if (transport === "tcp") return toReach(address);
  if (hostname === "localhost") return { net: LOCALHOST };
  // What a name stands for is not known beforehand.
  if (!isIp(hostname) || hostname.includes("%")) return { net: true };
  return {
    net: [
      `${bracketed(localHostFor(hostname))}:0`,
      `${bracketed(hostname)}:${port}`,
    ],
  };
}

/** To use a unix socket; the file itself needs `read` and `write` as well. */
export function toUnix(path: string): Needs {
  const absolute = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  return { net: [`unix:${absolute}`] };
}

/** To connect by TCP. */
export function toReach(
  { hostname, port }: { hostname: string; port: number },
): Needs {
  return { net: [`${bracketed(hostname)}:${port}`] };
}

/** To send to one's own server, from any port. */
export function toSend(address: NetAddr | UnixAddr): Needs {
  if ("path" in address) return toUnix(address.path);
  const hostname = ownHost(address.hostname);
  return address.transport === "tcp" && address.port !== 0
    ? toReach({ hostname, port: address.port })
    : { net: [bracketed(hostname)] };
}

/** Where a server bound to that host is reached from its own machine. */
export function ownHost(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  return hostname === "::" ? "::1" : hostname;
}

/** To keep messages in a file. */
export function toKeep(path: string): Needs {
  return { read: [path], write: [path] };
}

/** All of them. */
export function together(...needs: Needs[]): Needs {
  const nets = needs.map(({ net }) => net);
  const all = <T>(lists: (T[] | undefined)[]) => {
    const items = lists.flatMap((list) => list ?? []);
    return items.length > 0 ? [...new Set(items)] : undefined;
  };
  return {
    net: nets.includes(true)
      ? true
      : all(nets as (string[] | undefined)[])?.filter(isNotCovered),
    read: all(needs.map(({ read }) => read)),
    write: all(needs.map(({ write }) => write)),
    env: all(needs.map(({ env }) => env)),
    ffi: needs.some(({ ffi }) => ffi),
  };
}

/**
 * Makes sure of the permissions without making Deno ask for them.
 *
 * @param what What they are for, as in "Cannot …".
 * @throws {PermissionError} One is missing.
 */
export function requirePermissions(
  what: string,
  needs: Needs,
  script: string,
  args: readonly string[],
): void {
  if (descriptors(needs).every(isGranted)) return;
  throw new PermissionError(
    `Cannot ${what} without permission; run: ${command(needs, script, args)}`,
  );
}

/** Whether no other entry is for all ports of its host. */
function isNotCovered(entry: string, _: number, all: string[]): boolean {
  return !all.includes(entry.replace(/:\d+$/, "")) || !/:\d+$/.test(entry);
}

function bracketed(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

function descriptors(
  { net = [], read = [], write = [], env = [], ffi = false }: Needs,
): Deno.PermissionDescriptor[] {
  const hosts: Deno.PermissionDescriptor[] = net === true
    ? [{ name: "net" }]
    : net.map((host) => ({ name: "net", host }));
  return [
    ...hosts,
    ...read.map((path) => ({ name: "read", path }) as const),
    ...write.map((path) => ({ name: "write", path }) as const),
    ...env.map((variable) => ({ name: "env", variable }) as const),
    ...(ffi ? [{ name: "ffi" } as const] : []),
  ];
}

function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

function command(
  { net, read, write, env, ffi }: Needs,
  script: string,
  args: readonly string[],
): string {
  const words = ["deno", "run"];
  if (net === true) words.push("--allow-net");
  else if (net) words.push(`--allow-net=${net.join(",")}`);
  if (read) words.push(`--allow-read=${read.join(",")}`);
  if (write) words.push(`--allow-write=${write.join(",")}`);
  if (env) words.push(`--allow-env=${env.join(",")}`);
  if (ffi) words.push("--allow-ffi");
  return [...words, nearPath(script), ...args].map(quoted).join(" ");
}

/** The script as one would type it here. */
function nearPath(script: string): string {
  const folder = `${Deno.cwd()}/`;
  return script.startsWith(folder) ? script.slice(folder.length) : script;
}

/** A word as a POSIX shell takes it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word)
    ? word
    : `'${word.replaceAll("'", `'\\''`)}'`;
}
