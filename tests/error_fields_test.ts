import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  bind,
  connect,
  DatagramSocket,
  InvalidAddressError,
  MessageTooLargeError,
  type OperationFields,
  parseAddress,
  serve,
  SocketClosedError,
} from "../mod.ts";
import { batchBound } from "./support/fake_batches.ts";
import {
  fakeBound,
  FakeCarrier,
  fakeClient,
  sourceOf,
} from "./support/fakes.ts";
import { LOCAL, LOOPBACK, net, PEER, turn } from "./support/helpers.ts";

// deno-lint-ignore no-explicit-any
type Any = any;
type ErrorClass = new (...args: Any[]) => Error;

const LARGE = new Uint8Array(65_508);
const NOW = { timeoutMs: 0 };
const refused = () => new Deno.errors.NetworkUnreachable("no route");

/** A bound socket over a carrier that fails in some way. */
function broken(members: object): DatagramSocket {
  return new DatagramSocket(Object.assign(new FakeCarrier({}), members));
}

function closed<S extends { close(): void }>(socket: S): S {
  socket.close();
  return socket;
}

/** Runs while the socket waits, and then closes it. */
async function closing<S extends { close(): void }>(
  { socket }: { socket: S },
  wait: (socket: S) => Promise<unknown>,
): Promise<unknown> {
  const waiting = wait(socket);
  socket.close();
  return await waiting;
}

const slow = { send: () => new Promise<number>(() => {}) };
const failing = { send: () => Promise.reject(refused()) };
const BOUND = { local: LOCAL };
const CLIENT = { local: LOCAL, remote: PEER };

/** Each operation and each way in which it can fail. */
const FAILURES: [
  what: string,
  fail: () => unknown,
  Class: ErrorClass,
  fields: OperationFields,
][] = [
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
  ...([["bound", fakeBound, BOUND], ["connected", fakeClient, CLIENT]] as const)
    .flatMap(([kind, open, addresses]): typeof FAILURES => [
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
  [
    "bound send: not an address",
    () => fakeBound().socket.send("x", "x"),
    InvalidAddressError,
    { operation: "send", ...BOUND },
  ],
  [
    "bound send: another scheme",
    () => fakeBound().socket.send("x", "tls://127.0.0.1:1"),
    InvalidAddressError,
    {
      operation: "send",
      local: LOCAL,
      remote: {
        transport: "tcp",
        scheme: "tls",
        hostname: "127.0.0.1",
        port: 1,
      },
    },
  ],
  [
    "bound send: an unnamed peer",
    () =>
      fakeBound().socket.send(
        "x",
        { transport: "unixpacket", path: null } as Any,
      ),
    Deno.errors.NotSupported,
    { operation: "send", ...BOUND },
  ],
  [
    "bound send: too large",
    () => fakeBound().socket.send(LARGE, PEER),
    MessageTooLargeError,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound send: closed",
    () => closed(fakeBound().socket).send("x", PEER),
    SocketClosedError,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound send: the carrier",
    () => broken(failing).send("x", PEER),
    Deno.errors.NetworkUnreachable,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound send: time-out",
    () => broken(slow).send("x", PEER, NOW),
    Deno.errors.TimedOut,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound send: an option",
    () => fakeBound().socket.send("x", PEER, { timeoutMs: -1 }),
    RangeError,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound answer: too large",
    async () => {
      const { carrier, socket } = fakeBound();
      carrier.deliver("x");
      return await socket.answer(LARGE, await socket.receive());
    },
    MessageTooLargeError,
    { operation: "send", ...CLIENT },
  ],
  [
    "bound sendMany: some",
    () => fakeBound().socket.sendMany([{ data: LARGE, to: PEER }]),
    AggregateError,
    { operation: "send", ...BOUND },
  ],
  [
    "bound sendMany in batches: some",
    () => {
      const { carrier, socket } = batchBound();
      carrier.onBatch = () => ({ sent: 0, error: refused() });
      return socket.sendMany([{ data: "x", to: PEER }]);
    },
    AggregateError,
    { operation: "send", ...BOUND },
  ],
  [
    "connected sendMany: some",
    () => fakeClient().socket.sendMany([LARGE]),
    AggregateError,
    { operation: "send", ...BOUND },
  ],
  [
    "bound sendMany: time-out",
    () => broken(slow).sendMany([{ data: "x", to: PEER }], NOW),
    Deno.errors.TimedOut,
    { operation: "send", ...BOUND },
  ],
  [
    "bound sendMany: closed",
    () => closed(fakeBound().socket).sendMany([{ data: "x", to: PEER }]),
    SocketClosedError,
    { operation: "send", ...CLIENT },
  ],
  [
    "request: time-out",
    () => fakeClient().socket.request("x", NOW),
    Deno.errors.TimedOut,
    { operation: "request", ...CLIENT },
  ],
  [
    "request: closed before",
    () => closed(fakeClient().socket).request("x"),
    SocketClosedError,
    { operation: "request", ...CLIENT },
  ],
  [
    "request: closed meanwhile",
    () => closing(fakeClient(), (socket) => socket.request("x")),
    SocketClosedError,
    { operation: "request", ...CLIENT },
  ],
  [
    "request: an option",
    () => fakeClient().socket.request("x", { retries: -1 }),
    RangeError,
    { operation: "request", ...CLIENT },
  ],
  [
    "request: the last send",
    () => {
      const { carrier, socket } = fakeClient();
      carrier.onSend = () => Promise.reject(refused());
      return socket.request("x", NOW);
    },
    Deno.errors.NetworkUnreachable,
    { operation: "send", ...CLIENT },
  ],
  [
    "request: too large",
    () => fakeClient().socket.request(LARGE),
    MessageTooLargeError,
    { operation: "send", ...CLIENT },
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
];

for (const [what, fail, Class, fields] of FAILURES) {
  Deno.test(`an error names its operation and addresses: ${what}`, async () => {
    const error = await Promise.try(fail).then(
      () => {
        throw new Error("it did not fail");
      },
      (error) => error as Error & OperationFields,
    );
    assert(error instanceof Class, `${error}`);
    const { operation, local, remote } = error;
    assertEquals({ operation, local, remote }, {
      operation: fields.operation,
      local: fields.local,
      remote: fields.remote,
    });
  });
}

Deno.test("each error in an AggregateError names its own peer", async () => {
  const { socket } = fakeBound();
  const peers = [net("127.0.0.1", 1), net("127.0.0.1", 2)];
  const error = await socket.sendMany(peers.map((to) => ({ data: LARGE, to })))
    .catch((error) => error);
  assert(error instanceof AggregateError);
  assertEquals(error.errors.map(({ remote }) => remote), peers);
  socket.close();
});

Deno.test("the addresses of an error are its own copies", async () => {
  const { socket } = fakeClient();
  const error = await socket.receive(NOW).catch((error) => error);
  error.local.port = 1;
  error.remote.port = 2;
  const next = await socket.receive(NOW).catch((error) => error);
  assertEquals([next.local, next.remote], [LOCAL, PEER]);
  socket.close();
});

/** What programs can throw: also errors that look like the library's own. */
const REASONS: [name: string, reason: unknown][] = [
  ["an error", new Error("mine")],
  ["a frozen error", Object.freeze(new TypeError("mine"))],
  ["text", "mine"],
  ["null", null],
  ["a SocketClosedError", new SocketClosedError("mine")],
  ["a TimedOut", new Deno.errors.TimedOut("mine")],
];

for (const [name, reason] of REASONS) {
  const before = reason instanceof Error ? { ...reason } : reason;

  const same = async (promise: Promise<unknown>) => {
    const thrown = await promise.then(
      () => {
        throw new Error("it did not fail");
      },
      (thrown) => thrown,
    );
    assertStrictEquals(thrown, reason);
    if (reason instanceof Error) assertEquals({ ...reason }, before);
  };

  Deno.test(`a reason to abort is passed on unchanged: ${name}`, async () => {
    const aborted = (
      wait: (signal: AbortSignal) => Promise<unknown>,
    ) => [
      same(wait(AbortSignal.abort(reason))),
      (async () => {
        const controller = new AbortController();
        const waiting = same(wait(controller.signal));
        await turn();
        controller.abort(reason);
        await waiting;
      })(),
    ];
    const { carrier, socket } = fakeClient();
    carrier.onSend = () => new Promise(() => {});
    await Promise.all([
      aborted((signal) => socket.receive({ signal })),
      aborted((signal) => socket.batches({ signal }).next()),
      aborted((signal) => socket.request("x", { signal })),
      aborted((signal) => socket.send("x", { signal })),
      aborted((signal) => socket.sendMany(["x"], { signal })),
    ].flat());
    socket.close();
  });

  Deno.test(`what user code throws is passed on unchanged: ${name}`, async () => {
    const fail = () => {
      throw reason;
    };
    const { carrier, socket } = fakeClient();
    const request = same(socket.request("x", { match: fail }));
    carrier.deliver("y");
    await request;
    const messages = { [Symbol.iterator]: fail };
    await same(socket.sendMany(messages));
    await same(batchBound().socket.sendMany(messages));
    await same(
      serve(PEER, () => {}, {
        carrier: sourceOf(new FakeCarrier({})),
        onListen: fail,
      }).finished,
    );
    const reported = Promise.withResolvers<unknown>();
    const serving = new FakeCarrier({});
    const server = serve(PEER, fail, {
      carrier: sourceOf(serving),
      onError: reported.reject,
    });
    serving.deliver("x");
    await same(reported.promise);
    await server.shutdown();
    socket.close();
  });
}
