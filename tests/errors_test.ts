import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  bind,
  connect,
  errors,
  InvalidAddressError,
  MessageTooLargeError,
  SocketClosedError,
} from "../mod.ts";
import { failure } from "../lib/errors.ts";
import { LOOPBACK, net } from "./support/helpers.ts";

Deno.test("the library's errors extend the built-in ones that they resemble", () => {
  assertInstanceOf(new InvalidAddressError("a", "b"), TypeError);
  assertInstanceOf(new MessageTooLargeError(), RangeError);
  assertInstanceOf(new SocketClosedError(), Deno.errors.BadResource);
});

Deno.test("the library's errors have their own names", () => {
  assertEquals(
    [
      new InvalidAddressError("a", "b"),
      new MessageTooLargeError(),
      new SocketClosedError(),
    ].map(({ name }) => name),
    ["InvalidAddressError", "MessageTooLargeError", "SocketClosedError"],
  );
});

Deno.test("an invalid address is quoted on one line, escaped and cut", () => {
  const { message } = new InvalidAddressError("a\x1b[2J\n", "no");
  assertEquals(message, 'Invalid address "a\\x1b[2J\\n": no');
  const long = new InvalidAddressError("é".repeat(1000), "no");
  assertEquals(long.message, `Invalid address "${"é".repeat(120)}…": no`);
});

Deno.test("an address in use is AddrInUse, and the message names it", async () => {
  await using first = bind(LOOPBACK);
  const { port } = first.addr;
  const error = assertThrows(
    () => bind(net("127.0.0.1", port)),
    Deno.errors.AddrInUse,
    `Cannot bind udp://127.0.0.1:${port}: `,
  );
  assertInstanceOf(error.cause, Deno.errors.AddrInUse);
});

Deno.test("an address of another machine is AddrNotAvailable", () => {
  // 203.0.113.0/24 is for documentation (RFC 5737).
  assertThrows(
    () => bind("udp://203.0.113.1:0"),
    Deno.errors.AddrNotAvailable,
    "Cannot bind udp://203.0.113.1:0: ",
  );
});

Deno.test("binding an unknown host is NotFound", () => {
  // No name under .invalid exists (RFC 6761, section 6.4).
  assertThrows(
    () => bind("udp://nope.invalid:0"),
    Deno.errors.NotFound,
    "Cannot bind udp://nope.invalid:0: unknown host",
  );
});

Deno.test("connecting to an unknown host is NotFound", async () => {
  const error = await assertRejects(
    () => connect("udp://nope.invalid:5"),
    Deno.errors.NotFound,
    "Cannot connect to udp://nope.invalid:5: unknown host",
  );
  assert(error.cause instanceof Error);
});

Deno.test("sending to an unknown host is NotFound, and the socket goes on", async () => {
  await using socket = bind(LOOPBACK);
  await assertRejects(
    () => socket.send("x", "nope.invalid:5"),
    Deno.errors.NotFound,
    `Cannot send 1 byte from udp://127.0.0.1:${socket.addr.port} to udp://nope.invalid:5: unknown host`,
  );
  await socket.send("y", socket.addr);
  assertEquals((await socket.receive()).text(), "y");
  const { sent, sendFailed } = socket.stats;
  assertEquals({ sent, sendFailed }, { sent: 1, sendFailed: 1 });
});

Deno.test("sending to the other family rejects, and names both addresses", async () => {
  await using socket = bind(LOOPBACK);
  const error = await assertRejects(
    () => socket.send("x", "[::1]:5"),
    Error,
    `Cannot send 1 byte from udp://127.0.0.1:${socket.addr.port} to udp://[::1]:5: `,
  );
  assertInstanceOf(error.cause, Error);
});

Deno.test({
  name: "binding without permission is NotCapable, and the message says what",
  permissions: { net: false },
  fn() {
    const error = assertThrows(
      () => bind("udp://127.0.0.1:62000"),
      Deno.errors.NotCapable,
      "Cannot bind udp://127.0.0.1:62000: ",
    );
    assertMatch(error.message, /net access to "127\.0\.0\.1:62000"/);
    assertInstanceOf(error.cause, Deno.errors.NotCapable);
  },
});

Deno.test({
  name: "connecting without permission is NotCapable",
  permissions: { net: ["127.0.0.1:62000"] },
  async fn() {
    await assertRejects(
      () => connect("udp://127.0.0.1:62000"),
      Deno.errors.NotCapable,
      "Cannot connect to udp://127.0.0.1:62000: ",
    );
  },
});

Deno.test({
  name: "looking up a name without permission is NotCapable",
  permissions: { net: ["127.0.0.1"] },
  async fn() {
    await assertRejects(
      () => connect("udp://nope.invalid:5"),
      Deno.errors.NotCapable,
      "Cannot connect to udp://nope.invalid:5: ",
    );
    await using socket = bind(LOOPBACK);
    await assertRejects(
      () => socket.send("x", "nope.invalid:5"),
      Deno.errors.NotCapable,
    );
  },
});

Deno.test("a unix socket without permission is NotCapable", () => {
  assertThrows(
    () => bind("unix:/nowhere/pli.sock"),
    Deno.errors.NotCapable,
    "Cannot bind unix:/nowhere/pli.sock: ",
  );
});

Deno.test("where there is no Deno, the error classes are the library's own", async () => {
  // The query makes it a module of its own, evaluated again.
  const { Deno: deno } = globalThis;
  let portable;
  try {
    delete (globalThis as { Deno?: typeof Deno }).Deno;
    portable = await import("../lib/errors.ts?portable");
  } finally {
    if (deno !== undefined) globalThis.Deno = deno;
  }
  const { errors, failure, SocketClosedError: Closed } = portable;
  for (const [name, Class] of Object.entries(errors)) {
    const error = new Class("why", { cause: "it" });
    assertInstanceOf(error, Error);
    assertEquals([error.name, error.message, error.cause], [name, "why", "it"]);
    assert(!(error instanceof Deno.errors[name as "TimedOut"]));
  }
  const cause = new errors.ConnectionReset("gone");
  const wrapped = failure("receive on x", cause);
  assertStrictEquals(wrapped.constructor, errors.ConnectionReset);
  assertInstanceOf(failure("x", new errors.Interrupted()), Closed);
});

Deno.test("on Deno, the error classes are Deno's", () => {
  for (const [name, Class] of Object.entries(errors)) {
    assertStrictEquals(Class, Deno.errors[name as "TimedOut"]);
  }
});

Deno.test("a failure keeps the class of its cause", () => {
  for (
    const Class of [
      Deno.errors.ConnectionRefused,
      Deno.errors.NetworkUnreachable,
      Deno.errors.PermissionDenied,
      Deno.errors.TimedOut,
      TypeError,
      RangeError,
      Error,
    ]
  ) {
    const cause = new Class("why");
    const error = failure("do it", cause);
    assertStrictEquals(error.constructor, Class);
    assertEquals(error.message, "Cannot do it: why");
    assertStrictEquals(error.cause, cause);
  }
});

Deno.test("a failure of an unknown class is an Error", () => {
  class Odd extends Error {}
  const error = failure("do it", new Odd("why"));
  assertStrictEquals(error.constructor, Error);
  assertInstanceOf(error.cause, Odd);
});

Deno.test("the cause of a failure may be any value", () => {
  for (const cause of ["why", 7, null, undefined, { toString: () => "it" }]) {
    const error = failure("do it", cause);
    assertEquals(error.message, `Cannot do it: ${cause}`);
    assertStrictEquals(error.cause, cause);
  }
});

Deno.test("the library's own errors are not wrapped again", () => {
  for (
    const error of [
      new InvalidAddressError("a", "b"),
      new MessageTooLargeError("c"),
      new SocketClosedError("d"),
    ]
  ) assertStrictEquals(failure("do it", error), error);
});

Deno.test("a failure because the carrier is closed is a SocketClosedError", () => {
  for (const Class of [Deno.errors.BadResource, Deno.errors.Interrupted]) {
    const error = failure("do it", new Class("gone"));
    assertInstanceOf(error, SocketClosedError);
    assertEquals(error.message, "Cannot do it: the socket is closed");
  }
});

Deno.test("a message that is too long for the system is a MessageTooLargeError", () => {
  const cause = new Error("Message too long (os error 90)");
  assertInstanceOf(failure("send", cause), MessageTooLargeError);
});
