import type { NetAddr } from "../addr.ts";
import { canonicalIpv6 } from "../address/host.ts";
import { builtin, globals } from "../runtime.ts";
import { readByCat } from "./cat.ts";

const TABLES = [["/proc/net/udp", false], ["/proc/net/udp6", true]] as const;

// `cat` takes a few milliseconds.
const CAT_MS = 2000;

/**
 * Returns how many datagrams Linux dropped at the UDP socket bound to that
 * address because its buffer was full: the last column of its row in
 * /proc/net/udp (proc_net(5)).
 *
 * @returns `undefined` if it cannot be known: on other systems, without
 * permission, if the socket is closed, or if several sockets share the address.
 */
export async function kernelDrops(
  address: NetAddr,
): Promise<number | undefined> {
  const [drops] = await kernelDropsOf([address]);
  return drops;
}

/** Like {@linkcode kernelDrops} for many sockets; reads each table once. */
export async function kernelDropsOf(
  addresses: readonly NetAddr[],
): Promise<(number | undefined)[]> {
  const rows = new Map<string, number[]>();
  const ofIpv6 = addresses.map(({ hostname }) => hostname.includes(":"));
  for (const [path, ipv6] of TABLES) {
    if (!ofIpv6.includes(ipv6) || !isLinux()) continue;
    for (const line of (await readTable(path))?.split("\n").slice(1) ?? []) {
      // slot, local address, remote address, …, drops
      const columns = line.trim().split(/\s+/);
      const local = localOf(columns[1] ?? "");
      rows.set(local, [...rows.get(local) ?? [], Number(columns.at(-1))]);
    }
  }
  return addresses.map(({ hostname, port }) => {
    const drops = rows.get(`${hostname.split("%", 1)[0]} ${port}`);
    return drops?.length === 1 ? drops[0] : undefined;
  });
}

/**
 * Reads the table. Deno lets a program read it only with all permissions,
 * though `permissions.query` reports `read` as granted
 * (https://github.com/denoland/deno/issues/25055; the same for /proc/pressure
 * was fixed by https://github.com/denoland/deno/pull/30780). `cat` reads it
 * with `--allow-run=cat`. Remove `cat` when `--allow-read=/proc/net` suffices.
 */
async function readTable(path: string): Promise<string | undefined> {
  if (globals.Deno === undefined) return readByNode(path);
  if (Deno.permissions.querySync({ name: "read", path }).state === "granted") {
    try {
      return await Deno.readTextFile(path);
    } catch {
      // It takes all permissions: `cat` may still work.
    }
  }
  return await readByCat(path, AbortSignal.timeout(CAT_MS));
}

function isLinux(): boolean {
  return globals.process?.platform === "linux";
}

interface Fs {
  readonly promises: {
    readFile(path: string, encoding: "utf8"): Promise<string>;
  };
}

/** Reads the table on Node and on Bun, which have no permissions. */
async function readByNode(path: string): Promise<string | undefined> {
  try {
    return await builtin<Fs>("node:fs").promises.readFile(path, "utf8");
  } catch {
    // Such as: too many open files.
    return undefined;
  }
}

/** Reads a host and a port, each in hexadecimal. */
function localOf(column: string): string {
  const [address = "", port = ""] = column.split(":");
  return `${hostOf(address)} ${parseInt(port, 16)}`;
}

/**
 * Reads an address as the kernel prints it: 32-bit words in the machine's byte
 * order, which is little-endian here.
 */
function hostOf(hex: string): string | undefined {
  const bytes =
    hex.match(/.{8}/g)?.flatMap((word) =>
      (word.match(/../g) ?? []).reverse()
    ) ?? [];
  if (bytes.length === 4) return bytes.map((b) => parseInt(b, 16)).join(".");
  return canonicalIpv6(bytes.join("").match(/.{4}/g)?.join(":") ?? "");
}
