import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { DatagramSocket } from "../mod.ts";
import { FakeCarrier, fakeClient, fakeServer } from "./support/fakes.ts";
import { consoleErrors, turn } from "./support/helpers.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

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
