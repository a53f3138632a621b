import { quote } from "../errors.ts";
import { inEnvironment } from "./environment.ts";
import { type Needs, together } from "./needs.ts";
import { printable, quoted } from "./shell.ts";

/** A permission is missing. The message holds the command to run. */
export class PermissionError extends Error {}

/** A program, as it was started. */
export interface Invocation {
  /** The path of its script. */
  readonly script: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** A URL among them, whose credentials must not be shown. */
  readonly url?: string | undefined;
}

/** The variable in which `deno task` leaves the folder of the user. */
const USER_FOLDER = "INIT_CWD";

/** The variable that may hold the credentials for a broker. */
export const CREDENTIALS = "PLI_CREDENTIALS";
// Credentials stand between the two.
const CREDENTIALS_IN_URL = /(?<=:\/\/)[^/]*@/;

/** What permissions are for, as in "Cannot …", and which they are. */
export type Purpose = readonly [what: string, needs: Needs];

/**
 * Makes sure of the permissions without making Deno ask for them.
 *
 * @throws {PermissionError} One is missing. The message says what for, and how to
 * give all of them.
 */
export function requirePermissions(
  purposes: readonly Purpose[],
  invocation: Invocation,
): void {
  const purpose = purposes.map(unmet).find((what) => what !== undefined);
  if (purpose === undefined) return;
  const line = command(together(...purposes.map(needsOf)), invocation);
  const given = CREDENTIALS_IN_URL.exec(invocation.url ?? "")?.[0];
  const form = given?.includes("%") ? ", decoded" : "";
  const note = given === undefined
    ? ""
    : `, with the URL's credentials in the variable ${CREDENTIALS}${form}`;
  throw new PermissionError(
    `Cannot ${purpose} without permission; run: ${line}${note}`,
  );
}

function needsOf([, needs]: Purpose): Needs {
  return needs;
}

/** Returns what a missing permission is for, if one is missing. */
function unmet([what, needs]: Purpose): string | undefined {
  const missing = descriptors(needs).find((one) => !isGranted(one));
  if (missing === undefined) return undefined;
  return (needs.net && purposeOf(missing)) ?? what;
}

/** Returns the purpose of a permission, unless it is for the network. */
function purposeOf(missing: Deno.PermissionDescriptor): string | undefined {
  switch (missing.name) {
    case "read":
    case "write":
      return `open ${quote(String(missing.path))}`;
    case "env":
      return `read the variable ${missing.variable}`;
    case "ffi":
      return "call the system directly (--fast)";
    default:
      return undefined;
  }
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

/**
 * Returns the command that runs a program with all that it needs, for a POSIX
 * shell. It works in the user's folder.
 */
export function command(
  { net, read, write, beside, env, run, ffi }: Needs,
  { script, args, url }: Invocation,
): string {
  const words = ["deno", "run"];
  const allow = (name: string, values: string[] | true | undefined) => {
    if (values === true) words.push(`--allow-${name}`);
    else if (values) words.push(`--allow-${name}=${values.join(",")}`);
  };
  allow("net", namable(net));
  const files = (some: string[] | undefined, more: string[] = []) =>
    some && [...new Set([...some, ...more].map(withoutComma))];
  allow("read", files(read, beside));
  allow("write", files(write, beside));
  const hasCredentials = url !== undefined && CREDENTIALS_IN_URL.test(url);
  allow("env", hasCredentials ? [...env ?? [], CREDENTIALS] : env);
  allow("run", run);
  allow("ffi", ffi ? true : undefined);
  const line = [
    ...[...words, nearPath(script)].map(quoted),
    ...args.map((arg) =>
      quoted(
        url !== undefined && arg.endsWith(url)
          ? arg.replace(CREDENTIALS_IN_URL, "")
          : arg,
      )
    ),
  ].join(" ");
  const folder = Deno.cwd();
  // A task runs in its own folder, wherever the user is; paths are relative to it.
  return printable(
    isUserOutside(folder) ? `(cd ${quoted(folder)} && ${line})` : line,
  );
}

/** Whether the user is in another folder than that of this process. */
function isUserOutside(folder: string): boolean {
  try {
    return (inEnvironment(USER_FOLDER) || folder) !== folder;
  } catch {
    // Its name is not UTF-8, as that of this process is.
    return true;
  }
}

/** Deno splits its lists at commas, and has no escape for them. */
function namable(
  net: string[] | true | undefined,
): string[] | true | undefined {
  return net === true || net?.some((host) => host.includes(",")) ? true : net;
}

/** The path, or the narrowest folder around it whose path has no comma. */
function withoutComma(path: string): string {
  const comma = path.indexOf(",");
  if (comma < 0) return path;
  const slash = path.lastIndexOf("/", comma);
  return slash < 0 ? "." : path.slice(0, slash) || "/";
}

/** The script as one would type it in this folder: no option, and no URL. */
function nearPath(script: string): string {
  const folder = Deno.cwd().replace(/\/*$/, "/");
  if (!script.startsWith(folder)) return script;
  const near = script.slice(folder.length);
  return /^-|:/.test(near) ? `./${near}` : near;
}
