import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../lib/clock.ts";
import type { Message } from "../lib/collect.ts";
import { Receipts } from "../lib/programs/receipts.ts";
import { Datagram, type DatagramSocket, type NetAddr } from "../mod.ts";
import { bytesOf, net } from "./support/helpers.ts";

const DEAF = net("127.0.0.1", 1);
const WELL = net("127.0.0.1", 2);

function messages(from: NetAddr, count: number): Message[] {
  return Array.from({ length: count }, (_, i) => {
    const datagram = new Datagram(bytesOf("x"), from, false);
    return { id: i + 1, time: new Date(0), datagram };
  });
}

/** Receipts whose answers to one peer are not taken before `hear` is called. */
function fake() {
  const heard = Promise.withResolvers<void>();
  const answered: string[] = [];
  const errors: string[] = [];
  const socket = {
    clock: systemClock,
    answer: async (text: string, { from }: Datagram<NetAddr>) => {
      if (from.port === DEAF.port) await heard.promise;
      if (text.includes('"id":13,')) throw new Error("no luck");
      if (text.includes('"id":14,')) return false;
      answered.push(`${from.port} ${text}`);
      return true;
    },
  } as unknown as DatagramSocket;
  const receipts = new Receipts(socket, ({ message }) => errors.push(message));
  return { receipts, answered, errors, hear: heard.resolve };
}

Deno.test("a peer that takes no receipts holds up neither the others nor the collector", async () => {
  const { receipts, answered, hear } = fake();
  receipts.send(messages(DEAF, 20_000));
  receipts.send(messages(WELL, 3));
  await new Promise((go) => setTimeout(go, 0));
  assertEquals(answered, [
    '2 {"id":1,"size":1}',
    '2 {"id":2,"size":1}',
    '2 {"id":3,"size":1}',
  ]);
  assertEquals(receipts.write(), undefined);
  const { sent, waiting = NaN, notSent = NaN } = receipts.stats;
  assertEquals([sent, waiting + notSent], [3, 20_000]);
  // Its line is 4 MiB long.
  assert(notSent > 1000 && waiting > 10_000, `${waiting} wait`);
  hear();
  await receipts.close();
});

Deno.test("each receipt is counted once: as sent, or as not sent", async () => {
  const { receipts, answered, errors, hear } = fake();
  hear();
  receipts.send(messages(WELL, 20));
  assertEquals(receipts.stats["waiting"], 20);
  await receipts.flush();
  assertEquals(receipts.stats, { sent: 18, notSent: 2, waiting: 0 });
  assertEquals([answered.length, errors], [18, ["no luck"]]);
});
