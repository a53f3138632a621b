import { bracketed } from "../../address/address.ts";
import { errors } from "../../errors.ts";

/**
 * Whether `--allow-net` includes an address. libc does not ask, so the carrier
 * does: before it opens a socket, and again at each send, since a permission can
 * be revoked at any time.
 */
export function isNetAllowed(hostname: string, port: number): boolean {
  const host = `${bracketed(withoutZone(hostname))}:${port}`;
  return Deno.permissions.querySync({ name: "net", host }).state === "granted";
}

/** @throws {Deno.errors.NotCapable} `--allow-net` does not include the address. */
export function requireNet(hostname: string, port: number): void {
  if (!isNetAllowed(hostname, port)) throw notAllowed(hostname, port);
}

/** The error that Deno's own sockets throw without the permission. */
export function notAllowed(hostname: string, port: number): Error {
  const host = `${bracketed(withoutZone(hostname))}:${port}`;
  return new errors.NotCapable(
    `Requires net access to "${host}", run again with the --allow-net flag`,
  );
}

function withoutZone(hostname: string): string {
  return hostname.split("%", 1)[0];
}
