import { requireDeno } from "../runtime.ts";

/**
 * Checks that Deno's unstable datagram sockets can be used.
 *
 * @throws {Deno.errors.NotSupported} This is not Deno.
 * @throws {TypeError} They are not enabled; the message names both ways.
 */
export function requireUnstableNet(): void {
  requireDeno("Deno.listenDatagram");
  if (typeof Deno.listenDatagram === "function") return;
  throw new TypeError(
    'Deno.listenDatagram is missing: put "unstable": ["net"] into deno.json, run with --unstable-net, or pass { carrier: dgram() }',
  );
}
