import { fakeBound, fakeClient } from "./support/fakes.ts";
import { PEER } from "./support/helpers.ts";
import {
  type ErrorClass,
  shown,
  testWrongValues,
  wrongValue,
} from "./support/wrong_values.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

/** What may be given as the options of a wait, and what the error says. */
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

const bound = () => fakeBound().socket as Any;
const client = () => fakeClient().socket as Any;

testWrongValues([
  ...WAIT.flatMap(([options, Class, says]) => [
    ...(["receive", "batches", "runs"] as const).flatMap((name) =>
      [bound, client].map((open) =>
        wrongValue(
          `${open.name}.${name}(${shown(options)})`,
          () => open()[name](options),
          Class,
          says,
          "receive",
        )
      )
    ),
    wrongValue(
      `bound.send("x", addr, ${shown(options)})`,
      () => bound().send("x", PEER, options),
      Class,
      says,
      "send",
    ),
    wrongValue(
      `client.send("x", ${shown(options)})`,
      () => client().send("x", options),
      Class,
      says,
      "send",
    ),
    wrongValue(
      `bound.sendMany([], ${shown(options)})`,
      () => bound().sendMany([], options),
      Class,
      says,
      "send",
    ),
    wrongValue(
      `client.sendMany([], ${shown(options)})`,
      () => client().sendMany([], options),
      Class,
      says,
      "send",
    ),
    wrongValue(
      `bound.sendRun("x", 1, addr, ${shown(options)})`,
      () => bound().sendRun("x", 1, PEER, options),
      Class,
      says,
      "send",
    ),
    wrongValue(
      `client.sendRun("x", 1, ${shown(options)})`,
      () => client().sendRun("x", 1, options),
      Class,
      says,
      "send",
    ),
    wrongValue(
      `client.request("x", ${shown(options)})`,
      () => client().request("x", options),
      Class,
      says,
      "request",
    ),
    wrongValue(
      `bound.request("x", addr, ${shown(options)})`,
      () => bound().request("x", PEER, options),
      Class,
      says,
      "request",
    ),
  ]),
  ...[5, null, undefined, {}].flatMap((messages) =>
    [bound, client].map((open) =>
      wrongValue(
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
  wrongValue(
    'client.request("x", { retries: null })',
    () => client().request("x", { retries: null }),
    RangeError,
    "retries must be a whole number from 0: given null",
    "request",
  ),
  ...([
    [4, TypeError, "backoff must be an object: given 4"],
    [true, TypeError, "backoff must be an object: given true"],
    [null, TypeError, "backoff must be an object: given null"],
    [
      { factor: 0.5 },
      RangeError,
      "backoff.factor must be a number from 1 to 100: given 0.5",
    ],
    [
      { factor: "2" },
      RangeError,
      'backoff.factor must be a number from 1 to 100: given "2"',
    ],
    [
      { jitter: NaN },
      RangeError,
      "backoff.jitter must be a number from 0 to 100: given NaN",
    ],
    [
      { jitter: -1 },
      RangeError,
      "backoff.jitter must be a number from 0 to 100: given -1",
    ],
    [
      { maxMs: 999 },
      RangeError,
      "backoff.maxMs must be milliseconds from 1000 to 2147483647, or Infinity: given 999",
    ],
  ] as [Any, ErrorClass, string][]).map(([backoff, Class, says]) =>
    wrongValue(
      `bound.request("x", addr, { backoff: ${shown(backoff)} })`,
      () => bound().request("x", PEER, { backoff }),
      Class,
      says,
      "request",
    )
  ),
  ...([
    [
      { forMs: -1 },
      RangeError,
      "forMs must be milliseconds from 0 to 2147483647, or Infinity: given -1",
    ],
    [
      { resendMs: 0 },
      RangeError,
      "resendMs must be milliseconds from 1 to 2147483647, or Infinity: given 0",
    ],
    [{ max: 0 }, RangeError, "max must be a whole number from 1: given 0"],
    [{ unique: true }, TypeError, 'unique must be "peer": given true'],
    [
      { from: "all" },
      TypeError,
      'from must be "asked" or "anyone": given "all"',
    ],
    [{ match: 1 }, TypeError, "match must be a function: given 1"],
    [
      { signal: {} },
      TypeError,
      "signal must be an AbortSignal: given an object",
    ],
    [
      { backoff: 2, resendMs: 9 },
      TypeError,
      "backoff must be an object: given 2",
    ],
    [
      { backoff: {} },
      TypeError,
      "backoff must be left out without resendMs: given an object",
    ],
    [5, TypeError, "options must be an object: given 5"],
  ] as [Any, ErrorClass, string][]).map(([options, Class, says]) =>
    wrongValue(
      `bound.gather("x", addr, ${shown(options)})`,
      () => bound().gather("x", PEER, options),
      Class,
      says,
      "gather",
    )
  ),
  wrongValue(
    'bound.gather("x", an endless list)',
    () =>
      bound().gather(
        "x",
        (function* () {
          for (;;) yield PEER;
        })(),
      ),
    RangeError,
    "to must be at most 65536 addresses: given more",
    "gather",
  ),
  wrongValue(
    'bound.gather("x", [])',
    () => bound().gather("x", []),
    TypeError,
    "to must be at least one address: given an array",
    "gather",
  ),
  wrongValue(
    'client.request("x", { match: /x/ })',
    () => client().request("x", { match: /x/ }),
    TypeError,
    "match must be a function: given an object",
    "request",
  ),
  wrongValue(
    'bound.batches({ max: "1" })',
    () => bound().batches({ max: "1" }),
    RangeError,
    'max must be a whole number from 1: given "1"',
    "receive",
  ),
  wrongValue(
    "bound.batches({ reuse: 1 })",
    () => bound().batches({ reuse: 1 }),
    TypeError,
    "reuse must be true or false: given 1",
    "receive",
  ),
  wrongValue(
    'bound.runs({ reuse: "yes" })',
    () => bound().runs({ reuse: "yes" }),
    TypeError,
    'reuse must be true or false: given "yes"',
    "receive",
  ),
  wrongValue(
    'bound.answer("x", undefined)',
    () => bound().answer("x", undefined),
    TypeError,
    "datagram must be a datagram: given undefined",
    "send",
  ),
  wrongValue(
    'bound.joinMulticast("239.1.2.3", null)',
    () => bound().joinMulticast("239.1.2.3", null),
    TypeError,
    "options must be an object: given null",
    "join",
  ),
  wrongValue(
    'bound.joinMulticast("239.1.2.3", { loopback: 0 })',
    () => bound().joinMulticast("239.1.2.3", { loopback: 0 }),
    TypeError,
    "loopback must be true or false: given 0",
    "join",
  ),
]);
