import type { NetAddr } from "../addr.ts";
import { canonicalIpv6 } from "../address/host.ts";

/**
 * Returns how many datagrams Linux dropped at the UDP socket bound to that
 * address because its buffer was full: the last column of its row in
 * /proc/net/udp (proc_net(5)).
 *
 * @returns `undefined` if it cannot be known: on other systems, without
 * permission, if the socket is closed, or if several sockets share the address.
 */
export async function kernelDrops(
  { hostname, port }: NetAddr,
): Promise<number | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const ipv6 = hostname.includes(":");
  const table = await readTable(ipv6 ? "/proc/net/udp6" : "/proc/net/udp");
  const [host] = hostname.split("%", 1);
  const rows = table?.split("\n").slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([_, local]) => local !== undefined && isRowOf(local, host, port));
  const [row, ...others] = rows ?? [];
  return row === undefined || others.length > 0
    ? undefined
    : Number(row.at(-1));
}

/**
 * Reads the table. Deno lets a program read it only with all permissions,
 * though `permissions.query` reports `read` as granted
 * (https://github.com/denoland/deno/issues/25055; the same for /proc/pressure
 * was fixed by https://github.com/denoland/deno/pull/30780). `cat` reads it
 * with `--allow-run=cat`. Remove `cat` when `--allow-read=/proc/net` suffices.
 */
async function readTable(path: string): Promise<string | undefined> {
  if (granted({ name: "read", path })) {
    try {
      return await Deno.readTextFile(path);
    } catch {
      // It takes all permissions: `cat` may still work.
    }
  }
  if (!granted({ name: "run", command: "cat" })) return undefined;
  const { success, stdout } = await new Deno.Command("cat", { args: [path] })
    .output();
  return success ? new TextDecoder().decode(stdout) : undefined;
}

/** Whether a permission is granted; it never makes Deno ask the user. */
function granted(permission: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(permission).state === "granted";
}

function isRowOf(
  local: string,
  host: string | undefined,
  port: number,
): boolean {
  const [address = "", hexPort = ""] = local.split(":");
  return parseInt(hexPort, 16) === port && hostOf(address) === host;
}

/**
 * Reads an address as the kernel prints it: 32-bit words in the machine's byte
 * order, which is little-endian here.
 */
function hostOf(hex: string): string | undefined {
  const bytes =
    hex.match(/.{8}/g)?.flatMap((word) => word.match(/../g)!.reverse()) ?? [];
  if (bytes.length === 4) return bytes.map((b) => parseInt(b, 16)).join(".");
  return canonicalIpv6(bytes.join("").match(/.{4}/g)?.join(":") ?? "");
}
