import { deepEqual, equal, rejects } from "node:assert/strict";
import { errors, SocketClosedError } from "../../errors.ts";
import { bind } from "../../open.ts";
import type { Check } from "./ends.ts";

/** How a wait ends, and when an address is free. */
export function closing(check: Check): void {
  check("a receive that times out consumes no datagram", async (ends) => {
    const { socket, pass } = ends;
    await rejects(() => socket.receive({ timeoutMs: 10 }), errors.TimedOut);
    equal((await pass("later")).text(), "later");
    equal(socket.stats.received, 1);
  });

  check("closing ends a waiting receive, and may be repeated", async (ends) => {
    const { socket, client } = ends;
    const receiving = rejects(() => socket.receive(), SocketClosedError);
    socket.close();
    socket.close();
    await receiving;
    await rejects(() => socket.receive(), SocketClosedError);
    client.close();
    client.close();
    await rejects(() => client.send("x"), SocketClosedError);
  });

  check("a bound address is in use", async ({ socket, carrier }) => {
    await rejects(async () => {
      await using second = bind(socket.addr, { carrier });
      await second.opened;
    }, errors.AddrInUse);
  });

  check("an address is free at once after closing", async (ends) => {
    const { socket, client, carrier } = ends;
    client.close();
    const { addr } = socket;
    socket.receive().catch(() => {});
    await socket[Symbol.asyncDispose]();
    await using again = bind(addr, { carrier });
    await again.opened;
    deepEqual(again.addr, addr);
  });
}
