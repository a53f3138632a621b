import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  bind,
  connect,
  ConnectedSocket,
  DatagramSocket,
  InvalidAddressError,
  type OperationFields,
  serve,
} from "../mod.ts";
import {
  fakeBound,
  FakeCarrier,
  fakeClient,
  sourceOf,
} from "./support/fakes.ts";
import { LOCAL, LOOPBACK, PEER } from "./support/helpers.ts";

// What programs in plain JavaScript can pass.
// deno-lint-ignore no-explicit-any
type Any = any;

type ErrorClass = new (...args: Any[]) => Error;

interface Case {
  /** The call, as it is shown in the test's name. */
  name: string;
  call: () => unknown;
  /** The class of the error. */
  Class: ErrorClass;
  /** The end of its message. */
  says: string;
  operation: string;
}

const handler = () => undefined;

const row = (
  name: string,
  call: () => unknown,
  Class: ErrorClass,
  says: string,
  operation: string,
): Case => ({ name, call, Class, says, operation });

/** What may be given for each option, and what the error says. */
const BIND: [options: Any, Class: ErrorClass, says: string][] = [
  [null, TypeError, "options must be an object: given null"],
  [5, TypeError, "options must be an object: given 5"],
  ["udp", TypeError, 'options must be an object: given "udp"'],
  [
    { maxSize: "1" },
    RangeError,
    'maxSize must be a whole number from 0 to 67108864: given "1"',
  ],
  [
    { maxSize: null },
    RangeError,
    "maxSize must be a whole number from 0 to 67108864: given null",
  ],
  [
    { rateLimit: null },
    RangeError,
    "rateLimit must be a number per second, or { perSecond, burst }: given null",
  ],
  [
    { rateLimit: "1/s" },
    RangeError,
    'rateLimit must be a number per second, or { perSecond, burst }: given "1/s"',
  ],
  [
    { rateLimit: {} },
    RangeError,
    "rateLimit must be more than 0 per second: given undefined",
  ],
  [
    { answerLimit: { perSecond: 1, burst: "2" } },
    RangeError,
    'the burst of answerLimit must be a whole number from 1: given "2"',
  ],
  [
    { maxAmplification: "3" },
    RangeError,
    'maxAmplification must be more than 0: given "3"',
  ],
  [
    { maxAmplification: null },
    RangeError,
    "maxAmplification must be more than 0: given null",
  ],
  [
    { allow: "10.0.0.0/8" },
    TypeError,
    'allow must be an array of networks: given "10.0.0.0/8"',
  ],
  [{ deny: null }, TypeError, "deny must be an array of networks: given null"],
  [
    { allow: [5] },
    InvalidAddressError,
    "give a network, such as 10.0.0.0/8, fd00::/8 or 192.0.2.7",
  ],
  [
    { carrier: {} },
    TypeError,
    "carrier must be an object with a listen method: given an object",
  ],
  [
    { carrier: null },
    TypeError,
    "carrier must be an object with a listen method: given null",
  ],
  [
    { carrier: "udp" },
    TypeError,
    'carrier must be an object with a listen method: given "udp"',
  ],
  [{ family: "4" }, RangeError, 'family must be 4 or 6: given "4"'],
  [
    { reuseAddress: 1 },
    TypeError,
    "reuseAddress must be true or false: given 1",
  ],
];

const WAIT: [options: Any, Class: ErrorClass, says: string][] = [
  [null, TypeError, "options must be an object: given null"],
  [1000, TypeError, "options must be an object: given 1000"],
  [
    { timeoutMs: null },
    RangeError,
    "timeoutMs must be milliseconds from 0 to 2147483647, or Infinity: given null",
  ],
  [
    { timeoutMs: 5n },
    RangeError,
    "timeoutMs must be milliseconds from 0 to 2147483647, or Infinity: given 5n",
  ],
  [
    { timeoutMs: "5" },
    RangeError,
    'timeoutMs must be milliseconds from 0 to 2147483647, or Infinity: given "5"',
  ],
  [
    { signal: {} },
    TypeError,
    "signal must be an AbortSignal: given an object",
  ],
  [
    { signal: new AbortController() },
    TypeError,
    "signal must be an AbortSignal: given an object",
  ],
];

const OPENED = { ...PEER };
const bound = () => fakeBound().socket as Any;
const client = () => fakeClient().socket as Any;

const CASES: Case[] = [
  ...BIND.flatMap(([options, Class, says]) => [
    row(
      `bind(addr, ${shown(options)})`,
      () => bind(LOOPBACK, options),
      Class,
      says,
      "bind",
    ),
    row(
      `serve(addr, handler, ${shown(options)})`,
      () => serve(LOOPBACK, handler, options),
      Class,
      says,
      options !== null && typeof options === "object" ? "bind" : "serve",
    ),
  ]),
  ...BIND.filter(([options]) =>
    options === null || typeof options !== "object" ||
    "maxSize" in options || "carrier" in options || "family" in options
  ).map(([options, Class, says]) =>
    row(
      `connect(addr, ${shown(options)})`,
      () => connect(OPENED, options),
      Class,
      says,
      "connect",
    )
  ),
  ...WAIT.flatMap(([options, Class, says]) => [
    ...(["receive", "batches"] as const).flatMap((name) =>
      [bound, client].map((open) =>
        row(
          `${open.name}.${name}(${shown(options)})`,
          () => open()[name](options),
          Class,
          says,
          "receive",
        )
      )
    ),
    row(
      `bound.send("x", addr, ${shown(options)})`,
      () => bound().send("x", PEER, options),
      Class,
      says,
      "send",
    ),
    row(
      `client.send("x", ${shown(options)})`,
      () => client().send("x", options),
      Class,
      says,
      "send",
    ),
    row(
      `bound.sendMany([], ${shown(options)})`,
      () => bound().sendMany([], options),
      Class,
      says,
      "send",
    ),
    row(
      `client.sendMany([], ${shown(options)})`,
      () => client().sendMany([], options),
      Class,
      says,
      "send",
    ),
    row(
      `client.request("x", ${shown(options)})`,
      () => client().request("x", options),
      Class,
      says,
      "request",
    ),
  ]),
  ...[5, null, undefined, {}].flatMap((messages) =>
    [bound, client].map((open) =>
      row(
        `${open.name}.sendMany(${shown(messages)})`,
        () => open().sendMany(messages),
        TypeError,
        `messages must be an iterable: given ${
          typeof messages === "object" && messages ? "an object" : messages
        }`,
        "send",
      )
    )
  ),
  row(
    "serve(addr, undefined)",
    () => serve(LOOPBACK, undefined as Any),
    TypeError,
    "handler must be a function: given undefined",
    "serve",
  ),
  row(
    "serve(addr, handler, { onError: null })",
    () => serve(LOOPBACK, handler, { onError: null as Any }),
    TypeError,
    "onError must be a function: given null",
    "serve",
  ),
  row(
    "serve(addr, handler, { onListen: {} })",
    () => serve(LOOPBACK, handler, { onListen: {} as Any }),
    TypeError,
    "onListen must be a function: given an object",
    "serve",
  ),
  row(
    "serve(addr, handler, { signal: {} })",
    () => serve(LOOPBACK, handler, { signal: {} as Any }),
    TypeError,
    "signal must be an AbortSignal: given an object",
    "serve",
  ),
  row(
    'serve(addr, handler, { maxConcurrent: "1" })',
    () => serve(LOOPBACK, handler, { maxConcurrent: "1" as Any }),
    RangeError,
    'maxConcurrent must be a whole number from 1, or Infinity: given "1"',
    "serve",
  ),
  row(
    'client.request("x", { retries: null })',
    () => client().request("x", { retries: null }),
    RangeError,
    "retries must be a whole number from 0: given null",
    "request",
  ),
  row(
    'client.request("x", { match: /x/ })',
    () => client().request("x", { match: /x/ }),
    TypeError,
    "match must be a function: given an object",
    "request",
  ),
  row(
    'bound.batches({ max: "1" })',
    () => bound().batches({ max: "1" }),
    RangeError,
    'max must be a whole number from 1: given "1"',
    "receive",
  ),
  row(
    "bound.batches({ reuse: 1 })",
    () => bound().batches({ reuse: 1 }),
    TypeError,
    "reuse must be true or false: given 1",
    "receive",
  ),
  row(
    'bound.answer("x", undefined)',
    () => bound().answer("x", undefined),
    TypeError,
    "datagram must be a datagram: given undefined",
    "send",
  ),
  row(
    'bound.joinMulticast("239.1.2.3", null)',
    () => bound().joinMulticast("239.1.2.3", null),
    TypeError,
    "options must be an object: given null",
    "join",
  ),
  row(
    'bound.joinMulticast("239.1.2.3", { loopback: 0 })',
    () => bound().joinMulticast("239.1.2.3", { loopback: 0 }),
    TypeError,
    "loopback must be true or false: given 0",
    "join",
  ),
  row(
    "new DatagramSocket(carrier, null)",
    () => new DatagramSocket(new FakeCarrier({}), null as Any),
    TypeError,
    "options must be an object: given null",
    "bind",
  ),
  row(
    "new DatagramSocket(carrier, { rateLimit: 0 })",
    () => new DatagramSocket(new FakeCarrier({}), { rateLimit: 0 }),
    RangeError,
    "rateLimit must be more than 0 per second: given 0",
    "bind",
  ),
  row(
    "new ConnectedSocket(carrier, addr, { maxSize: -1 })",
    () => new ConnectedSocket(new FakeCarrier({}), PEER, { maxSize: -1 }),
    RangeError,
    "maxSize must be a whole number from 0 to 67108864: given -1",
    "connect",
  ),
];

for (const { name, call, Class, says, operation } of CASES) {
  Deno.test(`a wrong value is one clear line: ${name}`, async () => {
    const error = await Promise.try(call).then(
      (opened) => {
        (opened as Partial<Disposable> | undefined)?.[Symbol.dispose]?.();
        throw new Error("the value was accepted");
      },
      (error) => error as Error & OperationFields,
    );
    assertInstanceOf(error, Class);
    assert(error.message.endsWith(`: ${says}`), error.message);
    assert(!error.message.includes("\n"));
    assertEquals(error.operation, operation);
    if (Class !== InvalidAddressError) {
      assert(error.message.startsWith(`Cannot ${operation}`), error.message);
    }
  });
}

Deno.test("nothing is opened if an option is wrong", async () => {
  const carrier = {
    ...sourceOf(new FakeCarrier({})),
    listen: () => {
      throw new Error("opened");
    },
    dial: () => Promise.reject(new Error("opened")),
  };
  for (const options of [{ maxSize: -1 }, { rateLimit: 0 }, { allow: ["x"] }]) {
    const outcome = Promise.try(() => bind(LOOPBACK, { ...options, carrier }));
    assert(!/opened/.test((await outcome.catch((error) => error)).message));
  }
  const outcome = connect(PEER, { maxSize: -1, carrier });
  assertInstanceOf(await outcome.catch((error) => error), RangeError);
});

Deno.test("options that need IP addresses are rejected for other carriers too", () => {
  const addr = { transport: "unixpacket", path: "/run/a.sock" } as const;
  const carrier = Object.assign(new FakeCarrier({}), { addr });
  const error = thrown(() => new DatagramSocket(carrier, { allow: [] }));
  assertInstanceOf(error, TypeError);
  assertEquals(
    error.message,
    "Cannot bind unix:/run/a.sock: allow needs IP addresses",
  );
});

for (
  const [what, options, maxReceive, size, length] of [
    ["65,527 bytes by default", {}, undefined, 65_528, 65_527],
    ["what the carrier can deliver", {}, 70_000, 70_000, 70_000],
    ["what the carrier can deliver, if that is less", {}, 10, 11, 10],
    ["the option, whatever the carrier", { maxSize: 5 }, 70_000, 100, 5],
  ] as const
) {
  Deno.test(`a socket's maxSize is ${what}`, async () => {
    const carrier = Object.assign(
      new FakeCarrier({ addr: LOCAL }),
      maxReceive === undefined ? {} : { maxReceive },
    );
    await using socket = new DatagramSocket(carrier, options);
    carrier.deliver(new Uint8Array(size));
    const { data, truncated } = await socket.receive();
    assertEquals([data.length, truncated], [length, size > length]);
  });
}

function thrown(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}

function shown(value: unknown): string {
  return typeof value === "object" && value !== null && "signal" in value
    ? `{ signal: ${value.signal?.constructor.name} }`
    : Deno.inspect(value);
}
