import { assertEquals, assertRejects } from "@std/assert";
import { collect, type Sink } from "../lib/collect.ts";
import { DatagramSocket } from "../mod.ts";
import { fakeBound, FakeCarrier, FakeClock } from "./support/fakes.ts";
import { PEER } from "./support/helpers.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

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
    // Its time stands still, so that there is one batch.
    const carrier = new FakeCarrier({ clock: new FakeClock() });
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
