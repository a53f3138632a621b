/**
 * Checks that Deno's unstable datagram sockets can be used.
 *
 * @throws {TypeError} They are not enabled; the message names both ways.
 */
export function requireUnstableNet(): void {
  if (typeof Deno.listenDatagram === "function") return;
  throw new TypeError(
    'Deno.listenDatagram is missing: put "unstable": ["net"] into deno.json, or run with --unstable-net',
  );
}
