import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { batchBound } from "./support/fake_batches.ts";
import { fakeBound, fakeClient } from "./support/fakes.ts";
import { PEER, turn } from "./support/helpers.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

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

Deno.test("bytes that are no Uint8Array are named in the error", async () => {
  const { socket } = fakeClient();
  for (
    const [data, given] of [
      [new ArrayBuffer(2), "an ArrayBuffer"],
      [new Uint16Array(2), "a Uint16Array"],
      [new Int8Array(2), "an Int8Array"],
      [new DataView(new ArrayBuffer(2)), "a DataView"],
    ] as [Any, string][]
  ) {
    await assertRejects(
      () => socket.send(data),
      TypeError,
      `data must be a string or a Uint8Array: given ${given}`,
    );
  }
  socket.close();
});
