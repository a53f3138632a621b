import { assertEquals, assertRejects } from "@std/assert";
import { bind, connect, Datagram } from "../mod.ts";
import { fakeBound, FakeCarrier, sourceOf } from "./support/fakes.ts";
import { PEER, STRANGER } from "./support/helpers.ts";

/** An object whose members are different each time that they are read. */
function shifty<T extends object>(
  first: T,
  later: Record<keyof T, unknown>,
): T {
  const reads = new Set<PropertyKey>();
  return new Proxy(first, {
    get(target, name) {
      if (reads.has(name)) return Reflect.get(later, name);
      reads.add(name);
      return Reflect.get(target, name);
    },
  });
}

Deno.test("options that change whenever they are read are read once", async () => {
  const carrier = new FakeCarrier({});
  const options = {
    maxSize: 5,
    allow: ["127.0.0.1"],
    deny: shifty(["10.0.0.1"], ["nonsense"] as never),
    rateLimit: shifty({ perSecond: 1e6, burst: 5 }, { perSecond: 0, burst: 0 }),
    maxAmplification: 3,
    carrier: sourceOf(carrier),
    family: undefined,
    reuseAddress: undefined,
  };
  const later = {
    maxSize: NaN,
    allow: ["nonsense"],
    deny: 5,
    rateLimit: -1,
    maxAmplification: -1,
    carrier: {},
    family: 5,
    reuseAddress: 5,
  };
  await using socket = bind(PEER, shifty(options, later));
  carrier.deliver("longer");
  assertEquals((await socket.receive()).text(), "longe");
  const limits = { timeoutMs: 1, signal: undefined };
  const nonsense = { timeoutMs: -1, signal: {} };
  for (
    const wait of [
      () => socket.receive(shifty(limits, nonsense)),
      () => socket.batches(shifty(limits, nonsense)).next(),
    ]
  ) await assertRejects(wait, Deno.errors.TimedOut);
  await socket.send("x", PEER, shifty(limits, nonsense));
  await using client = await connect(
    PEER,
    shifty({ maxSize: 5, carrier: sourceOf(new FakeCarrier({})) }, {
      maxSize: -1,
      carrier: 5,
    }),
  );
  await assertRejects(
    () =>
      client.request(
        "x",
        shifty({ ...limits, retries: 1 }, {
          ...nonsense,
          retries: -1,
        }),
      ),
    Deno.errors.TimedOut,
  );
});

Deno.test("an answer goes to the peer that it was allowed for", async () => {
  const { carrier, socket } = fakeBound();
  const datagram = shifty(new Datagram(new Uint8Array(1), PEER), {
    data: 5,
    from: STRANGER,
    truncated: 5,
    to: 5,
    ecn: 5,
    time: 5,
    text: 5,
  });
  assertEquals(await socket.answer("x", datagram), true);
  assertEquals(carrier.sent[0]?.to, PEER);
  socket.close();
});

Deno.test("frozen addresses and options are taken, and ones with further members", async () => {
  const carrier = new FakeCarrier({});
  const to = Object.freeze({ ...PEER, zone: 1, toString: () => "x" });
  await using socket = bind(to, Object.freeze({ carrier: sourceOf(carrier) }));
  await socket.send("x", to, Object.freeze({ timeoutMs: 1000 }));
  await socket.sendMany(Object.freeze([Object.freeze({ data: "y", to })]));
  assertEquals(carrier.sent.map(({ to }) => to), [PEER, PEER]);
});
