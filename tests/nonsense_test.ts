import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { collect, type Sink } from "../lib/collect.ts";
import { type Carrier, ConnectedSocket, DatagramSocket } from "../mod.ts";
import { batchBound, cut, FakeBatchCarrier } from "./support/fake_batches.ts";
import {
  fakeBound,
  FakeCarrier,
  fakeClient,
  fakeServer,
} from "./support/fakes.ts";
import { consoleErrors, LOCAL, PEER, turn } from "./support/helpers.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const NUMBERS = [NaN, -1, 1.5, Infinity, 1e9, "1", null, undefined, {}, 1n];

for (const sent of NUMBERS) {
  Deno.test(`a sendBatch that returns ${Deno.inspect(sent)} as sent fails its batch, and the sums stay exact`, async () => {
    const { carrier, socket } = batchBound();
    carrier.sendBatch = () => Promise.resolve({ sent } as Any);
    const messages = ["a", "b", "c"].map((data) => ({ data, to: PEER }));
    const error = await assertRejects(
      () => socket.sendMany(messages),
      AggregateError,
      "Cannot send 3 of 3 messages: ",
    );
    assertMatch(error.message, /its carrier sent .+ of 3 messages$/);
    const { sentBytes, sendFailed, sending } = socket.stats;
    assertEquals([socket.stats.sent, sentBytes], [0, 0]);
    assertEquals([sendFailed, sending], [3, 0]);
    socket.close();
  });
}

for (
  const [what, sendBatch] of [
    ["returns nothing", () => undefined],
    ["returns null", () => null],
    ["throws undefined", () => {
      throw undefined;
    }],
    ["rejects with undefined", () => Promise.reject(undefined)],
    ["sends nothing, without a reason", () => ({ sent: 0 })],
    [
      "rejects with an error whose message throws",
      () =>
        Promise.reject(Object.defineProperty(new Error(), "message", {
          get() {
            throw new Error("no message");
          },
        })),
    ],
  ] as [string, () => Any][]
) {
  Deno.test(`a sendBatch that ${what} ends sendMany with errors, and the sums stay exact`, async () => {
    const { carrier, socket } = batchBound();
    carrier.sendBatch = sendBatch;
    const messages = ["a", "b"].map((data) => ({ data, to: PEER }));
    await assertRejects(() => socket.sendMany(messages), AggregateError);
    const { sent, sendFailed, sending } = socket.stats;
    assertEquals([sent, sendFailed, sending], [0, 2, 0]);
    socket.close();
  });
}

Deno.test("a sendBatch with an error after the last message has sent all", async () => {
  const { carrier, socket } = batchBound();
  carrier.onBatch = ({ length }) => ({ sent: length, error: new Error("?") });
  assertEquals(await socket.sendMany([{ data: "a", to: PEER }]), 1);
  assertEquals([socket.stats.sent, socket.stats.sendFailed], [1, 0]);
  socket.close();
});

const ARRIVALS: Any[] = [
  undefined,
  null,
  5,
  {},
  [],
  [new Uint8Array(1)],
  [new Uint8Array(1), null],
  [new Uint8Array(1), { transport: "udp", hostname: 5, port: 1 }],
  ["text", PEER],
  [{ length: 1 }, PEER],
];
for (const arrival of ARRIVALS) {
  Deno.test(`a receive that resolves with ${Deno.inspect(arrival, { compact: true, breakLength: Infinity })} is an error of one receive`, async () => {
    const carrier = new FakeCarrier({});
    const receive = carrier.receive.bind(carrier);
    let calls = 0;
    carrier.receive = (buffer) =>
      calls++ === 0 ? Promise.resolve(arrival) : receive(buffer);
    const socket = new DatagramSocket(carrier, { deny: ["192.0.2.1"] });
    await assertRejects(
      () => socket.receive(),
      TypeError,
      "Cannot receive on udp://127.0.0.1:62000: the carrier returned something that is not a datagram",
    );
    carrier.deliver("next");
    assertEquals((await socket.receive()).text(), "next");
    assertEquals(socket.stats.received, 1);
    socket.close();
  });
}

const good = cut(new TextEncoder().encode("good"), 4);
const RUNS: [string, Any][] = [
  ["nothing", undefined],
  ["a number", 5],
  ["a null", [null]],
  ["text", ["run"]],
  ["a run without bytes", [{ ...good, data: undefined }]],
  ["a run without a sender", [{ ...good, from: null }]],
  ["a negative segment size", [{ ...good, segmentSize: -1 }]],
  ["a segment size of NaN", [{ ...good, segmentSize: NaN }]],
  ["bytes of segment size 0", [{ ...good, segmentSize: 0 }]],
  ["too large a count", [{ ...good, count: 1e9 }]],
  ["a count of 0", [{ ...good, count: 0 }]],
  ["a count of NaN", [{ ...good, count: NaN }]],
];
for (const [what, runs] of RUNS) {
  for (const how of ["receive", "batches", "reuse"]) {
    Deno.test(`${how}: a receiveBatch that resolves with ${what} is one error, and good runs arrive`, async () => {
      const carrier = new FakeBatchCarrier();
      const socket = new DatagramSocket(carrier);
      const batches = socket.batches({ reuse: how === "reuse" });
      const next = async () =>
        how === "receive"
          ? (await socket.receive()).text()
          : (await batches.next()).value[0].text();
      const receiveBatch = carrier.receiveBatch.bind(carrier);
      carrier.receiveBatch = () => {
        carrier.receiveBatch = receiveBatch;
        return Promise.resolve(Array.isArray(runs) ? [...runs, good] : runs);
      };
      await assertRejects(next, TypeError, "not a datagram");
      if (Array.isArray(runs)) assertEquals(await next(), "good");
      carrier.deliver(good);
      assertEquals(await next(), "good");
      socket.close();
    });
  }
}

Deno.test("drops and connections that are not counts are left out, and stats never throws", () => {
  const carrier = Object.assign(new FakeCarrier({}), {
    drops: (): Any => ({ good: 2, a: NaN, b: "3", c: -1, d: 1n, e: null }),
    connections: (): Any => ({ good: 1, bad: Infinity }),
  });
  const socket = new DatagramSocket(carrier);
  const { dropped, connections } = socket.stats;
  assertEquals(dropped, { stranger: 0, queueFull: 0, closed: 0, good: 2 });
  assertEquals(connections, { good: 1 });
  for (const nonsense of [null, undefined, 5, "text", [NaN]]) {
    carrier.drops = () => nonsense;
    assertEquals(Object.values(socket.stats.dropped), [0, 0, 0]);
  }
  carrier.drops = carrier.connections = () => {
    throw new Error("no");
  };
  assertEquals(socket.stats.connections, {});
  socket.close();
});

Deno.test("kernelDrops is a count or undefined, and never rejects", async () => {
  const carrier: Carrier = new FakeCarrier({});
  const socket = new DatagramSocket(carrier);
  for (
    const [kernelDrops, wanted] of [
      [() => Promise.resolve(3), 3],
      [() => 4, 4],
      [() => Promise.reject(new Error("no")), undefined],
      [() => {
        throw new Error("no");
      }, undefined],
      ...NUMBERS.filter((n) => n !== 1e9)
        .map((n) => [() => Promise.resolve(n), undefined]),
    ] as [Any, number | undefined][]
  ) {
    carrier.kernelDrops = kernelDrops;
    assertEquals(await socket.kernelDrops(), wanted);
  }
  socket.close();
});

Deno.test("a maxSize of the carrier that is not a number is UDP's limit", async () => {
  for (const nonsense of [NaN, -1, "5", null]) {
    const carrier = Object.assign(new FakeCarrier({}), {
      maxSize: () => nonsense as Any,
    });
    const socket = new DatagramSocket(carrier);
    await socket.send(new Uint8Array(65_507), PEER);
    await assertRejects(
      () => socket.send(new Uint8Array(65_508), PEER),
      RangeError,
    );
    socket.close();
  }
});

/** Values that are awkward to throw, and what the error that wraps them says. */
const THROWN: [string, () => unknown, RegExp][] = [
  ["undefined", () => undefined, /: undefined$/],
  ["a symbol", () => Symbol("x"), /: Symbol\(x\)$/],
  ["an object without text", () => Object.create(null), /no text$/],
  [
    "an error whose message throws",
    () =>
      Object.defineProperty(new Error(), "message", {
        get() {
          throw 1;
        },
      }),
    /no text$/,
  ],
  [
    "an error whose message is a number",
    () => Object.assign(new Error(), { message: 5 }),
    /: 5$/,
  ],
  [
    "an error with control characters",
    () => new Error("\x1b[31mred\nline"),
    /\\x1b\[31mred\\nline$/,
  ],
  [
    "a too large message with control characters",
    () => new Error("Message too long \x1b[31m"),
    /\\x1b\[31m$/,
  ],
  [
    "an error whose constructor throws",
    () =>
      Object.defineProperty(new Error("x"), "constructor", {
        get() {
          throw 1;
        },
      }),
    /: x$/,
  ],
  ["a frozen error", () => Object.freeze(new Error("x")), /: x$/],
];
for (const [what, make, wanted] of THROWN) {
  Deno.test(`${what} that a carrier rejects with is one clear line`, async () => {
    const { carrier, socket } = fakeClient();
    carrier.onSend = () => Promise.reject(make());
    const error = await assertRejects(() => socket.send("x"), Error);
    assertMatch(error.message, wanted);
    assertMatch(error.message, /^Cannot send 1 byte from [^\p{Cc}]+$/u);
    carrier.fail(make() as Error);
    socket.close();
  });

  Deno.test(`${what} that a handler throws is reported on one line`, async () => {
    const { carrier, server } = fakeServer(() => {
      throw make();
    }, { onError: undefined });
    const printed = await consoleErrors(async () => {
      carrier.deliver("x");
      await turn();
      await server.shutdown();
    });
    assertEquals(printed.length, 1);
    assertMatch(`${printed[0]}`, /^[^\p{Cc}]+$/u);
  });

  Deno.test(`${what} that an onError throws does not end the server`, async () => {
    const { carrier, server } = fakeServer((datagram) => {
      if (datagram.text() === "bad") throw make();
      return "fine";
    }, {
      onError() {
        throw make();
      },
    });
    await consoleErrors(async () => {
      for (const text of ["bad", "good"]) carrier.deliver(text);
      while (carrier.sent.length === 0) await turn();
    });
    assertEquals(carrier.sentTexts, ["fine"]);
    await server.shutdown();
  });
}

Deno.test("control characters of a path are escaped in every message", async () => {
  const carrier = new FakeCarrier({
    addr: { transport: "unixpacket", path: "/tmp/\x1b[31m\n" } as Any,
  });
  const socket = new DatagramSocket(carrier);
  const errors = [
    await socket.receive({ timeoutMs: 0 }).catch((error) => error),
    await socket.send(5 as Any, { transport: "unixpacket", path: "/\x07" })
      .catch((error) => error),
    await socket.receive({ timeoutMs: -1 }).catch((error) => error),
  ];
  socket.close();
  errors.push(await socket.receive().catch((error) => error));
  for (const { message } of errors) assertMatch(message, /^[^\p{Cc}]+$/u);
});

/** A sink whose members may be replaced by anything. */
function sinkOf(members: Any): Sink {
  return {
    name: "odd",
    write() {},
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
    stats: {},
    ...members,
  };
}

const oops = () => {
  throw new Error("oops");
};
const thenable = {
  then: (go: () => void) => go(),
};
const SINKS: [string, Any, string[]][] = [
  ["write throws", { write: oops }, ["oops"]],
  ["write returns a thenable", { write: () => thenable }, []],
  ["write returns a number", { write: () => 5 }, []],
  ["write returns null", { write: () => null }, []],
  ["write returns what has a then that throws", {
    write: () => ({
      get then() {
        throw new Error("then");
      },
    }),
  }, ["then"]],
  [
    "write empties its list",
    { write: (list: Any[]) => void list.splice(0) },
    [],
  ],
  ["flush throws", { flush: oops }, ["oops"]],
  ["flush rejects", { flush: () => Promise.reject(new Error("oops")) }, [
    "oops",
  ]],
  ["flush returns nothing", { flush() {} }, []],
  ["close throws", { close: oops }, ["oops"]],
  ["close returns a thenable", { close: () => thenable }, []],
];
for (const [what, members, wanted] of SINKS) {
  Deno.test(`a sink whose ${what} harms no other sink`, async () => {
    const carrier = new FakeCarrier({});
    const socket = new DatagramSocket(carrier);
    const errors: string[] = [];
    const texts: string[] = [];
    const ends: string[] = [];
    const collector = collect(socket, {
      count: 2,
      sinks: [
        sinkOf(members),
        sinkOf({
          name: "good",
          write: (list: Any[]) =>
            list.forEach(({ datagram }) => texts.push(datagram.text())),
          flush: () => Promise.resolve(ends.push("flush")),
          close: () => Promise.resolve(ends.push("close")),
        }),
      ],
      onError: ({ message }) => void errors.push(message),
    });
    for (const text of ["a", "b"]) carrier.deliver(text);
    assertEquals(await collector.finished, "count");
    assertEquals([texts, ends, errors], [
      ["a", "b"],
      ["flush", "close"],
      wanted,
    ]);
    socket.close();
  });
}

Deno.test("stats of a sink that are not counts are left out, and stats never rejects", async () => {
  const { socket } = fakeBound();
  const sinks = [
    sinkOf({ stats: { good: 1, a: NaN, b: "2", c: -1, d: {} } }),
    sinkOf({ name: "none", stats: null, gauges: "text" }),
    Object.defineProperties(sinkOf({ name: "throws" }), {
      stats: { get: oops },
      gauges: { get: oops },
    }),
  ];
  const collector = collect(socket, { sinks });
  const stats = await collector.stats();
  assertEquals(stats.sinks, { odd: { good: 1 }, none: {}, throws: {} });
  assertEquals(stats.gauges, undefined);
  await collector.stop();
  socket.close();
});

for (
  const [what, sinks, wanted] of [
    ["text", "store", 'sinks must be an array of sinks: given "store"'],
    ["null", [null], "the name of a sink must be text: given undefined"],
    ["one without a name", [sinkOf({ name: 5 })], "must be text: given 5"],
    [
      "one without flush",
      [sinkOf({ flush: undefined })],
      "flush of the sink odd must be a function",
    ],
    [
      "one whose write is text",
      [sinkOf({ write: "x" })],
      "write of the sink odd must be a function",
    ],
  ] as [string, Any, string][]
) {
  Deno.test(`collect refuses ${what} as a sink`, async () => {
    const { socket } = fakeBound();
    await assertRejects(
      () => Promise.try(() => collect(socket, { sinks })),
      TypeError,
      wanted,
    );
    socket.close();
  });
}

Deno.test("an answer callback gets a copy, and may throw or return anything", async () => {
  const carrier = new FakeCarrier({});
  const socket = new DatagramSocket(carrier);
  const texts: string[] = [];
  const errors: string[] = [];
  const answers: Any[] = [
    () => "fine",
    oops,
    () => 5,
    () => null,
    () => Promise.reject(new Error("unhandled")),
    () => undefined,
  ];
  const collector = collect(socket, {
    count: answers.length,
    sinks: [sinkOf({
      write: (list: Any[]) =>
        list.forEach(({ datagram }) => texts.push(datagram.text())),
    })],
    answer(datagram) {
      const answer = answers[Number(datagram.text())];
      datagram.data.fill(0x21);
      datagram.from.port = 1;
      return answer(datagram);
    },
    onError: ({ message }) => void errors.push(message),
  });
  answers.forEach((_, i) => carrier.deliver(`${i}`));
  await collector.finished;
  assertEquals(texts, answers.map((_, i) => `${i}`));
  assertEquals(carrier.sent.map(({ to }) => to), [PEER]);
  assertEquals(errors.length, 4);
  socket.close();
});

const MESSAGES: [string, Any][] = [
  ["null", null],
  ["undefined", undefined],
  ["a number", 5],
  ["text", "text"],
  ["an empty object", {}],
  ["a message without an address", { data: "x" }],
  ["a message without data", { to: PEER }],
  ["a message to null", { data: "x", to: null }],
  ["a message to text that is no address", { data: "x", to: "\x1b" }],
];
for (
  const [how, open] of [
    ["one by one", fakeBound],
    ["in batches", batchBound],
  ] as const
) {
  for (const [what, message] of MESSAGES) {
    Deno.test(`${how}: ${what} as a message of sendMany fails alone`, async () => {
      const { socket } = open();
      const fine = { data: "x", to: PEER };
      const error = await assertRejects(
        () => socket.sendMany([fine, message, fine]),
        AggregateError,
        "Cannot send 1 of 3 messages: ",
      );
      assertMatch(error.message, /^[^\p{Cc}]+$/u);
      const { sent, sendFailed, sending } = socket.stats;
      assertEquals([sent, sendFailed, sending], [2, 1, 0]);
      socket.close();
    });
  }

  Deno.test(`${how}: an iterable may close the socket, send, and throw when it is ended`, async () => {
    const { socket } = open();
    const inner: Promise<unknown>[] = [];
    const messages = {
      *[Symbol.iterator]() {
        try {
          for (let n = 0; n < 10; n++) {
            inner.push(
              socket.sendMany([{ data: "i", to: PEER }]).catch(() => {}),
              socket.send("s", PEER).catch(() => {}),
            );
            if (n === 5) socket.close();
            yield { data: "o", to: PEER };
          }
        } finally {
          // deno-lint-ignore no-unsafe-finally
          throw new Error("return");
        }
      },
    };
    await assertRejects(() => socket.sendMany(messages), Error);
    await Promise.all(inner);
    for (let n = 0; n < 3; n++) await turn();
    const { sent, sendFailed, sending } = socket.stats;
    assertEquals(sending, 0);
    assert(sent + sendFailed >= 12, `${sent}, ${sendFailed}`);
  });
}

for (
  const nonsense of [
    5,
    null,
    undefined,
    {},
    "hello",
    new Uint8Array(3),
    () => {},
    {
      [Symbol.iterator]: 5,
    },
  ]
) {
  Deno.test(`sendMany rejects ${Deno.inspect(nonsense)}, whatever it could be iterated to`, async () => {
    const bound = fakeBound();
    const client = fakeClient();
    for (const { carrier, socket } of [bound, client]) {
      await assertRejects(
        () => (socket as Any).sendMany(nonsense),
        TypeError,
        "messages must be an iterable: given ",
      );
      assertEquals(carrier.sent, []);
      socket.close();
    }
  });
}

Deno.test("a string is no iterable of messages for the type checker either", () => {
  const { socket } = fakeClient();
  // @ts-expect-error a string's letters are not messages
  const sending = socket.sendMany("hello");
  sending.catch(() => {});
  socket.close();
});

Deno.test("answer rejects what is not a datagram", async () => {
  const { socket } = fakeBound();
  for (
    const nonsense of [null, undefined, {}, { from: PEER }, {
      data: new Uint8Array(1),
    }]
  ) {
    await assertRejects(
      () => socket.answer("x", nonsense as Any),
      TypeError,
      "datagram must be a datagram",
    );
  }
  socket.close();
});

Deno.test("a carrier that hands out an address that is its own keeps its address", () => {
  const socket = new ConnectedSocket(new FakeCarrier({}), PEER);
  socket.addr.port = 1;
  socket.remote.port = 1;
  assertEquals([LOCAL.port, PEER.port], [62_000, 40_000]);
  socket.close();
});
