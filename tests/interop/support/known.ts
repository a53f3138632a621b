/** What of the in-process tests cannot pass on Node or Bun, and why. */
import type { RuntimeName } from "./runtimes.ts";

/** Files that need what only Deno has: they are not run. */
export const FILES: readonly (readonly [files: RegExp, why: string])[] = [
  [/^quic_/, "QUIC is Deno's"],
  [/^(tcp|tls)_/, "TCP and TLS are by Deno.listen and Deno.connect"],
  [
    /^(deno_contract|websocket_carrier)_/,
    "the contracts of udp(), TCP, TLS and WebSockets, which are by Deno's own functions; dgram() has the same contract",
  ],
  [/^page_/, "the page is by Deno.listen, and its assets are text imports"],
  [/^nats_/, "the tests serve NATS by Deno.listen"],
  [/^(printer|totals)_/, "the programs are Deno's"],
];

/** Tests that fail. */
interface Known {
  readonly tests: RegExp;
  readonly why: string;
  /** @default {both} */
  readonly on?: RuntimeName;
}

// A carrier's tests and those of other subjects begin with its name.
const STREAMS =
  /^(traced )?(tcp|tls|quic|octet|nul|WebSockets|TCP|TLS|QUIC)\b|\bover (tcp|TCP|tls)\b|by tls\b/;

export const KNOWN: readonly Known[] = [
  {
    tests: STREAMS,
    why: "TCP, TLS, QUIC and WebSockets are by Deno's own functions",
  },
  {
    tests: /Deno\.DatagramConn|Deno's own$|Deno's unstable net/,
    why: "the test uses Deno.listenDatagram itself",
  },
  {
    tests: /without (the )?permission/,
    why: "Node and Bun ask for no permissions",
  },
  {
    tests: /^binding an unknown host is NotFound/,
    why: "node:dgram cannot look up a name at once: it is NotSupported",
  },
  {
    tests: /^a callback of the clock that throws/,
    why: "the test listens to the global error event of Deno",
  },
  {
    tests: /^(json|hex) output /,
    why: "the programs are Deno's: they use Uint8Array.toHex and toBase64",
    on: "node",
  },
  {
    tests: /^a pipe of runs that is aborted/,
    why: "pipeTo of Node reads one chunk ahead, which an abort loses",
    on: "node",
  },
  {
    tests:
      /^what the platform rejects is rejected in a run|^a delay or a callback that the platform rejects/,
    why:
      "Bun's own functions reject less, or in other words, than those of Node and Deno",
    on: "bun",
  },
  {
    tests: /^the port is free right after await using, even if a receive was/,
    why:
      "Bun frees the port of a socket that is closed in the turn in which it was bound only in the next one",
    on: "bun",
  },
];
