import {
  bind,
  connect,
  ConnectedSocket,
  DatagramSocket,
  InvalidAddressError,
  serve,
} from "../mod.ts";
import { FakeCarrier } from "./support/fakes.ts";
import { LOOPBACK, PEER } from "./support/helpers.ts";
import {
  type ErrorClass,
  shown,
  testWrongValues,
  wrongValue,
} from "./support/wrong_values.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const handler = () => undefined;

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

testWrongValues([
  ...BIND.flatMap(([options, Class, says]) => [
    wrongValue(
      `bind(addr, ${shown(options)})`,
      () => bind(LOOPBACK, options),
      Class,
      says,
      "bind",
    ),
    wrongValue(
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
    wrongValue(
      `connect(addr, ${shown(options)})`,
      () => connect(PEER, options),
      Class,
      says,
      "connect",
    )
  ),
  wrongValue(
    "serve(addr, undefined)",
    () => serve(LOOPBACK, undefined as Any),
    TypeError,
    "handler must be a function: given undefined",
    "serve",
  ),
  wrongValue(
    "serve(addr, handler, { onError: null })",
    () => serve(LOOPBACK, handler, { onError: null as Any }),
    TypeError,
    "onError must be a function: given null",
    "serve",
  ),
  wrongValue(
    "serve(addr, handler, { onListen: {} })",
    () => serve(LOOPBACK, handler, { onListen: {} as Any }),
    TypeError,
    "onListen must be a function: given an object",
    "serve",
  ),
  wrongValue(
    "serve(addr, handler, { signal: {} })",
    () => serve(LOOPBACK, handler, { signal: {} as Any }),
    TypeError,
    "signal must be an AbortSignal: given an object",
    "serve",
  ),
  wrongValue(
    'serve(addr, handler, { maxConcurrent: "1" })',
    () => serve(LOOPBACK, handler, { maxConcurrent: "1" as Any }),
    RangeError,
    'maxConcurrent must be a whole number from 1, or Infinity: given "1"',
    "serve",
  ),
  wrongValue(
    "new DatagramSocket(carrier, null)",
    () => new DatagramSocket(new FakeCarrier({}), null as Any),
    TypeError,
    "options must be an object: given null",
    "bind",
  ),
  wrongValue(
    "new DatagramSocket(carrier, { rateLimit: 0 })",
    () => new DatagramSocket(new FakeCarrier({}), { rateLimit: 0 }),
    RangeError,
    "rateLimit must be more than 0 per second: given 0",
    "bind",
  ),
  wrongValue(
    "new ConnectedSocket(carrier, addr, { maxSize: -1 })",
    () => new ConnectedSocket(new FakeCarrier({}), PEER, { maxSize: -1 }),
    RangeError,
    "maxSize must be a whole number from 0 to 67108864: given -1",
    "connect",
  ),
]);
