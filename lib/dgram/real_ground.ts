import type { NetAddr } from "../addr.ts";
import { dgram } from "../carriers/dgram.ts";
import { udp } from "../carriers/udp.ts";
import { builtin, globals } from "../runtime.ts";
import type { Ground } from "./ground.ts";
import type { Lookup } from "./types.ts";

/** Sockets over real carriers: Deno's own UDP, or `dgram()` on Node and Bun. */
export const realGround: Ground = {
  open(address: NetAddr, options, source) {
    const chosen = source ?? (globals.Deno === undefined ? dgram() : udp());
    return chosen.listen(address, options);
  },
  lookup: () => builtin<{ lookup: Lookup }>("node:dns").lookup,
  localhost: (type) => type === "udp4" ? "127.0.0.1" : "::1",
};
