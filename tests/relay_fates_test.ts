/** What a relay tells about each datagram. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { bind, connect } from "../mod.ts";
import { type RelayFate, startRelay } from "../lib/testing/mod.ts";
import { LOOPBACK, until } from "./support/helpers.ts";

type Told = Omit<RelayFate, "data"> & { text: string };

Deno.test("each fate is told, as often as the relay counts it, with its addresses", async () => {
  const told: Told[] = [];
  await using server = bind(LOOPBACK);
  const relay = startRelay({
    listen: LOOPBACK,
    to: server.addr,
    seed: 5,
    loss: 0.2,
    duplicate: 0.2,
    reorder: 0.2,
    corrupt: 0.2,
    delayMs: { min: 0, max: 3 },
    mtu: 100,
    onFate: ({ data, ...fate }) =>
      void told.push({ ...fate, text: new TextDecoder().decode(data) }),
  });
  await using sender = await connect(relay.addr);
  for (let n = 0; n < 200; n++) {
    await sender.send(n % 20 === 0 ? "x".repeat(101) : `${n}`);
  }
  await until(() => {
    const { received, inFlight } = relay.stats.up;
    return received === 200 && inFlight === 0;
  });
  await relay.close();
  const { up } = relay.stats;
  const times = (matches: (one: Told) => boolean) =>
    told.filter(matches).length;
  for (
    const fate of [
      "forwarded",
      "lost",
      "dropped",
      "overMtu",
      "queueFull",
      "notSent",
    ] as const
  ) {
    assertEquals(times((one) => one.fate === fate), up[fate], fate);
  }
  assertEquals(times(({ duplicate }) => duplicate), up.duplicated);
  const isSent = ({ fate }: Told) => fate === "forwarded";
  assertEquals(times((one) => isSent(one) && one.corrupted), up.corrupted);
  assertEquals(times((one) => isSent(one) && one.reordered), up.reordered);
  assert(
    up.lost > 0 && up.overMtu > 0 && up.duplicated > 0 && up.reordered > 0,
  );
  for (const { direction, from, to, heldMs } of told) {
    assertEquals([direction, from.port, to.port], [
      "up",
      sender.addr.port,
      server.addr.port,
    ]);
    assert(heldMs >= 0);
  }
});

Deno.test("replies are told as down, and those that were held at the end as not sent", async () => {
  const told: RelayFate[] = [];
  await using server = bind(LOOPBACK);
  const relay = startRelay({
    listen: LOOPBACK,
    to: server.addr,
    onFate: (fate) => void told.push(fate),
  });
  relay.set({ delayMs: { min: 60_000, max: 60_000 } }, "down");
  await using client = await connect(relay.addr);
  await client.send("question");
  const { from } = await server.receive();
  await server.send("reply", from);
  await until(() => relay.stats.down.inFlight === 1);
  await relay.close();
  assertEquals(told.map(({ direction, fate }) => [direction, fate]), [
    ["up", "forwarded"],
    ["down", "notSent"],
  ]);
  assertEquals(told[1]?.from, server.addr);
  assertEquals(told[1]?.to, client.addr);
});

Deno.test("an onFate that throws is reported, and the relay goes on", async () => {
  const errors: unknown[] = [];
  await using server = bind(LOOPBACK);
  await using relay = startRelay({
    listen: LOOPBACK,
    to: server.addr,
    onError: (error) => void errors.push(error),
    onFate: () => {
      throw "own";
    },
  });
  await using client = await connect(relay.addr);
  for (const text of ["a", "b"]) {
    await client.send(text);
    assertEquals((await server.receive()).text(), text);
  }
  await until(() => errors.length === 2);
  assertEquals(errors, ["own", "own"]);
  assertEquals(relay.stats.up.forwarded, 2);
  const onFate = 7 as unknown as () => void;
  assertThrows(
    () => startRelay({ listen: LOOPBACK, to: server.addr, onFate }),
    TypeError,
    "onFate must be a function",
  );
});
