import { deepEqual, equal, notDeepEqual } from "node:assert/strict";
import { type Addr, copyAddr } from "../../addr.ts";
import { parseAddress } from "../../address/address.ts";
import { bind, connect } from "../../open.ts";
import type { Abilities, Check } from "./ends.ts";
import { sameBytes } from "./messages.ts";

/** What the program changes after it gave or got it has no effect. */
export function values(check: Check, { lossless }: Abilities): void {
  if (lossless) {
    check("the sender may reuse its bytes once they are sent", async (ends) => {
      const { socket, client } = ends;
      const bytes = new Uint8Array([1, 2, 3]);
      await client.send(bytes);
      bytes.fill(9);
      sameBytes((await socket.receive()).data, new Uint8Array([1, 2, 3]));
      bytes.fill(4);
      await client.sendMany([bytes, bytes]);
      bytes.fill(5);
      for (let n = 0; n < 2; n++) {
        sameBytes((await socket.receive()).data, new Uint8Array([4, 4, 4]));
      }
      await client.sendRun(bytes, 2);
      bytes.fill(6);
      sameBytes((await socket.receive()).data, new Uint8Array([5, 5]));
      sameBytes((await socket.receive()).data, new Uint8Array([5]));
    });
  }

  check("received bytes and their sender are the program's", async (ends) => {
    const first = await ends.pass("first");
    const from = copyAddr(first.from);
    spoil(first.from);
    const second = await ends.pass("second");
    deepEqual([first.text(), second.from], ["first", from]);
    first.data.fill(0);
    equal(second.text(), "second");
  });

  check("changing a socket's addresses changes no datagram", async (ends) => {
    const { socket, client, pass } = ends;
    const { from } = await pass("before");
    for (const { addr } of [socket, client]) spoil(addr);
    spoil(client.remote);
    const after = await pass("after");
    deepEqual([after.text(), after.from], ["after", from]);
    const other = await ends.another();
    equal((await pass("another", other)).text(), "another");
  });

  check(
    "changing an address that opened a socket has no effect",
    async (ends) => {
      const { carrier, pass } = ends;
      const to = ends.bound;
      const dialing = ends.another(to);
      spoil(to);
      equal((await pass("x", await dialing)).text(), "x");
      const local = parseAddress(ends.address());
      await using socket = bind(local as typeof to, { carrier });
      spoil(local);
      await socket.opened;
      await using client = await connect(socket.addr, { carrier });
      await client.send("y");
    },
  );

  check("changing stats changes no count", async ({ socket, pass }) => {
    await pass("x");
    const before = socket.stats;
    const copy = structuredClone(before);
    spoil(before);
    for (const counts of [before.dropped, before.withheld]) spoil(counts);
    if (before.connections !== undefined) spoil(before.connections);
    notDeepEqual(before, copy);
    deepEqual(socket.stats, copy);
  });
}

/** Changes each member of an object that can be changed. */
export function spoil(object: Addr | object): void {
  for (const [name, value] of Object.entries(object)) {
    if (typeof value === "number") Reflect.set(object, name, value ^ 1);
    if (typeof value === "string") Reflect.set(object, name, "changed");
  }
}
