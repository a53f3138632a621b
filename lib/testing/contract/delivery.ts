import { deepEqual, equal, ok } from "node:assert/strict";
import { errors } from "../../errors.ts";
import { isConnected } from "../../addr.ts";
import type { Abilities, Check, Ends } from "./ends.ts";
import { carriable, numbers, sameBytes, sameMessages } from "./messages.ts";
import { arrived } from "./waits.ts";

const COUNT = 100;
const BURST = 10;

/** What arrives, and in which order. */
export function delivery(check: Check, abilities: Abilities): void {
  const { ordered, lossless } = abilities;

  check("a datagram arrives as it was sent", async ({ pass }) => {
    const datagram = await pass("Bonjour");
    deepEqual([datagram.text(), datagram.truncated], ["Bonjour", false]);
  });

  check("one send is one receive, whatever the sizes", async ({ pass }) => {
    for (const size of [1, 2, 100, 1000, 3]) {
      const random = crypto.getRandomValues(new Uint8Array(size));
      const message = carriable(random, abilities);
      sameBytes((await pass(message)).data, message);
    }
  });

  check("an empty datagram is a datagram", async ({ pass }) => {
    equal((await pass("")).data.length, 0);
    equal((await pass("next")).text(), "next");
  });

  const arrive = lossless
    ? `${COUNT} datagrams all arrive`
    : `of ${COUNT} datagrams none arrives twice`;
  const order = ordered ? "in order" : "in any order";
  check(`${arrive}, ${order}`, async (ends) => {
    const sent = numbers(COUNT);
    const received: string[] = [];
    for (let i = 0; i < COUNT; i += BURST) {
      const burst = sent.slice(i, i + BURST);
      await Promise.all(burst.map((text) => ends.client.send(text)));
      for (const _ of burst) {
        const datagram = await ends.next(ends.socket);
        if (datagram !== undefined) received.push(datagram.text());
      }
    }
    sameMessages(received, sent, abilities);
  });

  check(`${arrive} by sendMany and batches, ${order}`, async (ends) => {
    const sent = numbers(COUNT);
    const sending = ends.client.sendMany(sent);
    const received = await receiveInBatches(ends);
    equal(await sending, COUNT);
    sameMessages(received, sent, abilities);
  });

  if (lossless) {
    check("tryReceive returns all that has arrived", async (ends) => {
      const { socket, client } = ends;
      const sending = client.sendMany(Array<string>(COUNT).fill("x"));
      await arrived(ends);
      const { sent } = client.stats;
      while (await socket.tryReceive() !== undefined);
      // Over connections, what was sent may still be on its way.
      if (!isConnected(ends.bound)) ok(socket.stats.received >= sent);
      await ends.texts(socket, COUNT - socket.stats.received);
      await sending;
    });
  }

  check("the counts add up to what arrived", async (ends) => {
    const { socket, client, pass } = ends;
    for (let n = 0; n < 5; n++) await pass(`${n}`);
    await client.send("unread");
    await socket.tryReceive();
    const { received, waiting, bytes, dropped } = socket.stats;
    ok(received >= 5 && received + waiting <= client.stats.sent);
    ok(bytes >= 5);
    equal(dropped["stranger"], 0);
  });
}

async function receiveInBatches(ends: Ends): Promise<string[]> {
  const received: string[] = [];
  const timeoutMs = ends.patienceMs;
  const batches = ends.socket.batches({ max: BURST, timeoutMs });
  try {
    for await (const batch of batches) {
      ok(batch.length >= 1 && batch.length <= BURST);
      received.push(...batch.map((datagram) => datagram.text()));
      if (received.length === COUNT) break;
    }
  } catch (error) {
    // The rest was lost.
    if (!(error instanceof errors.TimedOut)) throw error;
  }
  return received;
}
