import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  bind,
  type BindOptions,
  connect,
  ConnectedSocket,
  type Datagram,
  SocketClosedError,
} from "../mod.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";
import { FakeBatchCarrier, run } from "./support/fake_batches.ts";
import { fakeClient } from "./support/fakes.ts";
import {
  LOOPBACK,
  net,
  PEER,
  SOON,
  STRANGER,
  turn,
} from "./support/helpers.ts";

/** Texts of different lengths, so that a mixed one shows. */
const TEXTS = Array.from(
  { length: 40 },
  (_, i) => `${i} `.padEnd(5 + i % 7, "abcdefghijk"),
);

type Setup = [name: string, address: string, options: () => BindOptions];

const SETUPS: Setup[] = [
  ["udp", LOOPBACK, () => ({})],
  ["tcp", "tcp://127.0.0.1:0", () => ({})],
  [
    "simulated network",
    "udp://10.0.0.1:7",
    () => ({ carrier: simulateNetwork() }),
  ],
];

/** What a `match` may do with the client that it belongs to. */
const REENTRIES: [
  name: string,
  reenter: (client: ConnectedSocket, got: (d: Datagram) => void) => void,
][] = [
  ["receives", (client, got) => client.receive(SOON).then(got, () => {})],
  [
    "tries to receive",
    (client, got) => client.tryReceive().then((d) => d && got(d)),
  ],
  [
    "requests",
    (client, got) =>
      client.request("?", { ...SOON, match: () => true }).then(got, () => {}),
  ],
  [
    "iterates",
    (client, got) =>
      client[Symbol.asyncIterator]().next().then(({ value }) =>
        value && got(value)
      ),
  ],
  [
    "takes a batch",
    (client, got) =>
      client.batches({ max: 3 }).next().then(({ value }) =>
        value?.forEach(got)
      ),
  ],
];

for (const [carrier, address, options] of SETUPS) {
  for (const [what, reenter] of REENTRIES) {
    Deno.test(`${carrier}: a match that ${what} loses, doubles and garbles nothing`, async () => {
      const own = options();
      await using server = bind(address, own);
      await using client = await connect(server.addr, own);
      const got: string[] = [];
      const take = (d: Datagram) => void got.push(d.text());
      const request = client.request("?", {
        ...SOON,
        match(datagram) {
          reenter(client, take);
          return datagram.text().startsWith("20 ");
        },
      });
      const { from } = await server.receive(SOON);
      for (const text of TEXTS) await server.send(text, from);
      take(await request);
      // Those that the match began come first.
      await turn();
      while (got.length < TEXTS.length) {
        take(await client.receive(SOON));
        await turn();
      }
      assertEquals(got.sort(), TEXTS.toSorted());
      assertEquals(client.stats.received, TEXTS.length);
    });
  }
}

Deno.test("a batch: a match that receives changes no datagram of the batch", async () => {
  const carrier = new FakeBatchCarrier();
  const socket = new ConnectedSocket(carrier, PEER);
  const got: string[] = [];
  const request = socket.request("?", {
    match(datagram) {
      socket.receive().then((d) => got.push(d.text()));
      return datagram.text() === "dddd";
    },
  });
  carrier.deliver(run(["aaaa", "bbbb", "cccc", "dddd", "eeee"]));
  carrier.deliver(run(["ffff", "gggg"]));
  assertEquals((await request).text(), "dddd");
  for (let n = 0; n < 3; n++) await turn();
  for (let d; (d = await socket.tryReceive());) got.push(d.text());
  assertEquals(got, ["aaaa", "bbbb", "cccc", "eeee", "ffff", "gggg"]);
  assertEquals([carrier.overlaps, socket.stats.received], [0, 7]);
  socket.close();
});

Deno.test("a match that changes its datagram changes nobody else's", async () => {
  const { carrier, socket } = fakeClient();
  const spoil = (datagram: Datagram<Deno.NetAddr>) => {
    datagram.data.fill(0x21);
    datagram.from.port = 1;
    Object.assign(datagram, { data: new Uint8Array(99), truncated: true });
    return false;
  };
  const spoiling = socket.request("?", { match: spoil });
  const other = socket.request("?", { match: (d) => d.text() === "b" });
  carrier.deliver("a");
  carrier.deliver("b");
  assertEquals((await other).text(), "b");
  const datagram = await socket.receive();
  assertEquals([datagram.text(), datagram.from.port], ["a", PEER.port]);
  assertEquals([datagram.truncated, socket.stats.bytes], [false, 2]);
  socket.close();
  await assertRejects(() => spoiling, SocketClosedError);
});

Deno.test("a match is not called after its request is over", async () => {
  const { carrier, socket } = fakeClient();
  const abort = new AbortController();
  let calls = 0;
  const first = socket.request("?", {
    match: () => (abort.abort("over"), false),
  });
  const second = socket.request("?", {
    match: () => (calls++, true),
    signal: abort.signal,
  });
  const over = second.catch((reason) => reason);
  carrier.deliver("a");
  assertEquals([await over, calls], ["over", 0]);
  assertEquals((await socket.receive()).text(), "a");
  socket.close();
  await assertRejects(() => first, SocketClosedError);
});

Deno.test("a request that a match makes gets only what arrives after that", async () => {
  const { carrier, socket } = fakeClient();
  const inner: string[] = [];
  const outer = socket.request("?", {
    match(datagram) {
      if (datagram.text() === "a") {
        socket.request("?").then((d) => inner.push(d.text()));
      }
      return datagram.text() === "c";
    },
  });
  for (const text of ["a", "b", "c"]) carrier.deliver(text);
  assertEquals((await outer).text(), "c");
  assertEquals(inner, ["b"]);
  assertEquals((await socket.receive()).text(), "a");
  socket.close();
});

for (
  const [what, verdict] of [
    ["a thenable", { then: (go: (is: boolean) => void) => go(true) }],
    ["a promise that rejects", Promise.reject(new Error("unhandled"))],
  ] as const
) {
  if (verdict instanceof Promise) verdict.catch(() => {});
  Deno.test(`a match that returns ${what} is a TypeError of its request only`, async () => {
    const { carrier, socket } = fakeClient();
    const request = socket.request("?", {
      match: () => verdict as unknown as boolean,
    });
    carrier.deliver("a");
    await assertRejects(() => request, TypeError, "match must be a function");
    assertEquals((await socket.receive()).text(), "a");
    socket.close();
  });
}

/** What one `match` of the property below does, in this order. */
const ACTIONS = [
  "receive",
  "tryReceive",
  "request",
  "iterate",
  "batch",
  "reuse",
  "abort",
  "close",
  "spoil",
  "detach",
] as const;
const answers = fc.constantFrom<unknown>(
  true,
  false,
  undefined,
  0,
  "yes",
  Promise.resolve(true),
);
const script = fc.record({
  actions: fc.array(fc.constantFrom(...ACTIONS), { maxLength: 3 }),
  answer: answers,
  throws: fc.nat(9).map((n) => n === 9),
});

for (const kind of ["one by one", "in batches"] as const) {
  Deno.test(`${kind}: one receive is in flight and the counts add up, whatever a match does`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(script, { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }),
        async (scripts, sizes) => {
          const world = worldOf(kind);
          const { socket, carrier } = world;
          let step = 0;
          let calls = 0;
          const ended: Promise<unknown>[] = [];
          const failures: unknown[] = [];
          let got = 0;
          const count = (d: Datagram | undefined) => {
            if (d === undefined) return;
            assertWhole(d);
            got++;
          };
          const wait = (promise: Promise<Datagram | undefined>) =>
            void ended.push(
              // What a `match` threw, or that the socket is closed.
              promise.then(count, () => {}),
            );
          const abort = new AbortController();
          const ask = (): void =>
            wait(socket.request("?", {
              timeoutMs: Infinity,
              signal: abort.signal,
              match(datagram) {
                if (++calls > 200) return false;
                const { actions, answer, throws } =
                  scripts[step++ % scripts.length] ?? scripts[0]!;
                try {
                  assertWhole(datagram);
                } catch (error) {
                  failures.push(error);
                }
                for (const action of actions) act(action, datagram);
                if (throws) throw new Error("match");
                return answer as boolean;
              },
            }));
          const act = (action: typeof ACTIONS[number], datagram: Datagram) => {
            switch (action) {
              case "receive":
                return wait(socket.receive());
              case "tryReceive":
                return wait(socket.tryReceive());
              case "request":
                return ask();
              case "iterate":
                return wait(
                  socket[Symbol.asyncIterator]().next()
                    .then(({ value }) => value),
                );
              case "batch":
              case "reuse": {
                const reuse = action === "reuse";
                return void ended.push(
                  socket.batches({ max: 2, reuse }).next()
                    // With `reuse` the bytes are valid for a moment only.
                    .then(({ value }) =>
                      value?.forEach((d: Datagram) => reuse ? got++ : count(d))
                    ),
                );
              }
              case "abort":
                return abort.abort("over");
              case "close":
                // Otherwise nearly every run would end at once.
                return step % 5 === 0 ? socket.close() : undefined;
              case "spoil":
                datagram.data.fill(0x21);
                return void Object.assign(datagram.from, { port: 1 });
              case "detach":
                return void datagram.data.buffer.transfer();
            }
          };
          ask();
          for (const size of sizes) world.arrive(size);
          for (let n = 0; n < 5; n++) await turn();
          world.arrive(1);
          await turn();
          const { received, waiting, dropped } = socket.stats;
          assertEquals(
            received + waiting + Object.values(dropped).reduce((a, b) => a + b),
            carrier.delivered,
          );
          socket.close();
          await Promise.all(ended);
          assertEquals(failures, []);
          assertEquals(carrier.overlaps, 0);
          assertEquals(socket.stats.received, got);
        },
      ),
      { numRuns: 300 },
    );
  });
}

/** Datagrams are a digit for their length, repeated. */
function textOf(size: number): string {
  return `${size}`.repeat(size);
}

function assertWhole(datagram: Datagram): void {
  const text = datagram.text();
  assertEquals(text, textOf(text.length));
}

function worldOf(kind: "one by one" | "in batches") {
  if (kind === "one by one") {
    const { carrier, socket } = fakeClient();
    return {
      carrier,
      socket,
      arrive(size: number) {
        carrier.deliver(textOf(size), size === 5 ? STRANGER : PEER);
      },
    };
  }
  const carrier = new FakeBatchCarrier();
  const socket = new ConnectedSocket<Deno.NetAddr>(carrier, PEER);
  return {
    carrier,
    socket,
    arrive(size: number) {
      const from = size === 5 ? STRANGER : net(PEER.hostname, PEER.port);
      carrier.deliver(
        run(Array(size + 1).fill(textOf(size)).slice(0, size || 1), from),
        run([textOf(1)], { ...PEER }),
      );
    },
  };
}
