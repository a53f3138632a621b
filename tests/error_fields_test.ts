import { assertEquals } from "@std/assert";
import { SocketClosedError } from "../mod.ts";

import { fakeBound, fakeClient } from "./support/fakes.ts";
import { LOCAL, PEER } from "./support/helpers.ts";
import {
  BOUND,
  CLIENT,
  closed,
  closing,
  type Failure,
  NOW,
  refused,
  testFailures,
} from "./support/failures.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

testFailures([
  ...([["bound", fakeBound, BOUND], ["connected", fakeClient, CLIENT]] as const)
    .flatMap(([kind, open, addresses]): Failure[] => [
      [
        `${kind} receive: time-out`,
        () => open().socket.receive(NOW),
        Deno.errors.TimedOut,
        { operation: "receive", ...addresses },
      ],
      [
        `${kind} receive: closed before`,
        () => closed(open().socket).receive(),
        SocketClosedError,
        { operation: "receive", ...addresses },
      ],
      [
        `${kind} receive: closed meanwhile`,
        () => closing<Any>(open(), (socket) => socket.receive()),
        SocketClosedError,
        { operation: "receive", ...addresses },
      ],
      [
        `${kind} receive: the carrier`,
        () => {
          const { carrier, socket } = open();
          carrier.fail(refused());
          return socket.receive();
        },
        Deno.errors.NetworkUnreachable,
        { operation: "receive", ...addresses },
      ],
      [
        `${kind} receive: an option`,
        () => open().socket.receive({ timeoutMs: -1 }),
        RangeError,
        { operation: "receive", ...addresses },
      ],
      [
        `${kind} tryReceive: closed`,
        () => closed(open().socket).tryReceive(),
        SocketClosedError,
        { operation: "receive", ...addresses },
      ],
      [
        `${kind} batches: time-out`,
        () => open().socket.batches(NOW).next(),
        Deno.errors.TimedOut,
        { operation: "receive", ...addresses },
      ],
      [
        `${kind} batches: an option`,
        () => open().socket.batches({ max: 0 }),
        RangeError,
        { operation: "receive", ...addresses },
      ],
      [
        `${kind} readable: the carrier`,
        () => {
          const { carrier, socket } = open();
          carrier.fail(refused());
          return socket.readable.getReader().read();
        },
        Deno.errors.NetworkUnreachable,
        { operation: "receive", ...addresses },
      ],
      [
        `${kind} close: the carrier`,
        () => {
          const { carrier, socket } = open();
          carrier.close = () => {
            throw refused();
          };
          socket.close();
        },
        Deno.errors.NetworkUnreachable,
        { operation: "close", ...addresses },
      ],
      [
        `${kind} end: the carrier`,
        () => {
          const { carrier, socket } = open();
          Object.assign(carrier, { end: () => Promise.reject(refused()) });
          return socket[Symbol.asyncDispose]();
        },
        Deno.errors.NetworkUnreachable,
        { operation: "close", ...addresses },
      ],
      [
        `${kind} send: data of a wrong type`,
        () => (open().socket as Any).send(5, PEER),
        TypeError,
        { operation: "send", local: LOCAL, remote: PEER },
      ],
    ]),
]);

Deno.test("the addresses of an error are its own copies", async () => {
  const { socket } = fakeClient();
  const error = await socket.receive(NOW).catch((error) => error);
  error.local.port = 1;
  error.remote.port = 2;
  const next = await socket.receive(NOW).catch((error) => error);
  assertEquals([next.local, next.remote], [LOCAL, PEER]);
  socket.close();
});
