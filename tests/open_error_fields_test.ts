import {
  bind,
  connect,
  InvalidAddressError,
  parseAddress,
  serve,
} from "../mod.ts";

import { fakeBound, FakeCarrier, sourceOf } from "./support/fakes.ts";
import { LOOPBACK, net, PEER } from "./support/helpers.ts";
import { BOUND, broken, refused, testFailures } from "./support/failures.ts";

testFailures([
  ["parse", () => parseAddress("x"), InvalidAddressError, {
    operation: "parse",
  }],
  ["bind: not an address", () => bind("x"), InvalidAddressError, {
    operation: "bind",
  }],
  ["bind: an option", () => bind(LOOPBACK, { maxSize: -1 }), RangeError, {
    operation: "bind",
    local: net("127.0.0.1", 0),
  }],
  ["bind: a network", () => bind(LOOPBACK, { allow: ["x"] }), Error, {
    operation: "bind",
    local: net("127.0.0.1", 0),
  }],
  [
    "bind: an option of no use",
    () => bind(LOOPBACK, { family: 4, carrier: sourceOf(new FakeCarrier({})) }),
    TypeError,
    { operation: "bind", local: net("127.0.0.1", 0) },
  ],
  ["bind: no carrier", () => bind("quic://127.0.0.1:1"), TypeError, {
    operation: "bind",
    local: { ...net("127.0.0.1", 1), scheme: "quic" },
  }],
  [
    "bind: another scheme",
    () =>
      bind("tcp://127.0.0.1:1", {
        carrier: { ...sourceOf(new FakeCarrier({})), schemes: ["udp"] },
      }),
    InvalidAddressError,
    {
      operation: "bind",
      local: { ...net("127.0.0.1", 1), transport: "tcp" },
    },
  ],
  [
    "bind: the carrier",
    () =>
      bind(PEER, {
        carrier: {
          listen() {
            throw refused();
          },
        },
      }),
    Deno.errors.NetworkUnreachable,
    { operation: "bind", local: PEER },
  ],
  [
    "bind: the carrier, later",
    () => broken({ opened: Promise.reject(refused()) }).opened,
    Deno.errors.NetworkUnreachable,
    { operation: "bind", ...BOUND },
  ],
  ["connect: not an address", () => connect("x"), InvalidAddressError, {
    operation: "connect",
  }],
  ["connect: port 0", () => connect("127.0.0.1:0"), InvalidAddressError, {
    operation: "connect",
  }],
  ["connect: an option", () => connect(PEER, { maxSize: -1 }), RangeError, {
    operation: "connect",
    remote: PEER,
  }],
  ["connect: many peers", () => connect("239.1.2.3:1"), InvalidAddressError, {
    operation: "connect",
    remote: net("239.1.2.3", 1),
  }],
  [
    "connect: a source that only listens",
    () => connect(PEER, { carrier: { listen: () => new FakeCarrier({}) } }),
    Deno.errors.NotSupported,
    { operation: "connect", remote: PEER },
  ],
  [
    "connect: the carrier",
    () =>
      connect(PEER, {
        carrier: {
          listen: () => new FakeCarrier({}),
          dial: () => Promise.reject(refused()),
        },
      }),
    Deno.errors.NetworkUnreachable,
    { operation: "connect", remote: PEER },
  ],
  [
    "serve: an option",
    () =>
      serve(LOOPBACK, () => {}, {
        maxConcurrent: 0,
      }),
    RangeError,
    { operation: "serve" },
  ],
  [
    "join: not a group",
    () => fakeBound().socket.joinMulticast("127.0.0.1"),
    RangeError,
    { operation: "join", ...BOUND },
  ],
  [
    "join: no multicast",
    () => fakeBound().socket.joinMulticast("239.1.2.3"),
    Deno.errors.NotSupported,
    { operation: "join", ...BOUND },
  ],
  [
    "join: the carrier",
    () =>
      broken({
        joinMulticastV4: () => Promise.reject(refused()),
        joinMulticastV6: () => Promise.reject(refused()),
      }).joinMulticast("239.1.2.3"),
    Deno.errors.NetworkUnreachable,
    { operation: "join", ...BOUND },
  ],
  [
    "leave: the carrier",
    async () => {
      const joined = { leave: () => Promise.reject(refused()) };
      const membership = await broken({
        joinMulticastV4: () => Promise.resolve(joined),
        joinMulticastV6: () => Promise.resolve(joined),
      }).joinMulticast("239.1.2.3");
      await membership.leave();
    },
    Deno.errors.NetworkUnreachable,
    { operation: "leave", ...BOUND },
  ],
]);
