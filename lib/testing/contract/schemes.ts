import { equal, rejects, throws } from "node:assert/strict";
import { type NetAddr, schemeOf } from "../../addr.ts";
import { parseAddress } from "../../address/address.ts";
import { InvalidAddressError } from "../../errors.ts";
import { bind, connect } from "../../open.ts";
import type { Check } from "./ends.ts";

const EXAMPLES: Record<string, string> = {
  udp: "udp://127.0.0.1:9",
  tcp: "tcp://127.0.0.1:9",
  tls: "tls://127.0.0.1:9",
  quic: "quic://127.0.0.1:9",
  unix: "unix:/tmp/pli-contract.sock",
};

/** Addresses that name another transport. */
export function schemes(check: Check): void {
  check("addresses of other schemes are not opened", async (ends) => {
    const { carrier } = ends;
    const own = carrier.schemes ?? [schemeOf(ends.socket.addr)];
    for (const other of others(own)) {
      throws(() => bind(other, { carrier }), InvalidAddressError);
      await rejects(() => connect(other, { carrier }), InvalidAddressError);
    }
  });

  check("a send to an address of another scheme rejects", async (ends) => {
    const { socket, pass } = ends;
    let failed = 0;
    for (const other of others([schemeOf(socket.addr)])) {
      await rejects(() => socket.send("x", other), InvalidAddressError);
      equal(socket.stats.sendFailed, ++failed);
    }
    equal(socket.stats.sent, 0);
    equal((await pass("x")).text(), "x");
  });
}

/** Addresses of all schemes but those, as text and as objects. */
function others(own: readonly string[]): (string | NetAddr)[] {
  return Object.entries(EXAMPLES)
    .filter(([scheme]) => !own.includes(scheme))
    .flatMap(([_, text]) => [text, parseAddress(text) as NetAddr]);
}
