import { collect } from "../lib/collect.ts";
import {
  bind,
  type Carrier,
  type CarrierSource,
  connect,
  ConnectedSocket,
  Datagram,
  DatagramSocket,
  escapeControls,
  formatAddress,
  parseAddress,
  serve,
  traced,
} from "../mod.ts";
import {
  fakeBound,
  FakeCarrier,
  fakeClient,
  sourceOf,
} from "./support/fakes.ts";
import { LOCAL, LOOPBACK, PEER, turn } from "./support/helpers.ts";
import { testNonsense } from "./support/nonsense.ts";

// deno-lint-ignore no-explicit-any
type Any = any;
type Calls = Record<string, (value: Any) => unknown>;

const NOW = { timeoutMs: 0 };
const GROUP = "239.1.2.3";

const bound = (use: (socket: Any) => unknown) => using(fakeBound().socket, use);
const client = (use: (socket: Any) => unknown) =>
  using(fakeClient().socket, use);
const opened = (open: () => AsyncDisposable) => using(open(), () => {});
const source = () => sourceOf(new FakeCarrier({}));

async function using<S extends AsyncDisposable>(
  socket: S,
  use: (socket: S) => unknown,
): Promise<void> {
  await using own = socket;
  await use(own);
}

/** Does the call with an object of which one member is the value. */
function each(
  names: string[],
  name: (name: string) => string,
  call: (members: Any) => unknown,
): Calls {
  return Object.fromEntries(
    names.map((key) => [name(key), (value: Any) => call({ [key]: value })]),
  );
}

/** Waits for a turn at most; closing the socket ends the wait. */
async function briefly(wait: () => unknown): Promise<void> {
  await Promise.race([wait(), turn()]);
}

testNonsense({
  "bind(x)": (x) => opened(() => bind(x, { carrier: source() })),
  "bind(addr, x)": (x) => opened(() => bind(LOOPBACK, x)),
  "connect(x)": async (x) =>
    opened(await connect(x, { carrier: source() }).then((s) => () => s)),
  "connect(addr, x)": async (x) =>
    opened(await connect(PEER, x).then((s) => () => s)),
  "serve(x, f)": (x) => opened(() => serve(x, () => {}, { carrier: source() })),
  "serve(addr, x)": (x) => opened(() => serve(PEER, x, { carrier: source() })),
  "serve(addr, f, x)": (x) => opened(() => serve(LOOPBACK, () => {}, x)),
  "new DatagramSocket(x)": (x) => opened(() => new DatagramSocket(x)),
  "new DatagramSocket(carrier, x)": (x) =>
    opened(() => new DatagramSocket(new FakeCarrier({}), x)),
  "new ConnectedSocket(x, addr)": (x) =>
    opened(() => new ConnectedSocket(x, PEER)),
  "new ConnectedSocket(carrier, x)": (x) =>
    opened(() => new ConnectedSocket(new FakeCarrier({}), x)),
  "new ConnectedSocket(carrier, addr, x)": (x) =>
    opened(() => new ConnectedSocket(new FakeCarrier({}), PEER, x)),
  "new Datagram(x).text()": (x) => new Datagram(x, PEER).text(),
  "parseAddress(x)": parseAddress,
  "formatAddress(x)": formatAddress,
  "escapeControls(x)": escapeControls,
  "traced(x)": (x) => opened(() => bind(PEER, { carrier: traced(x) })),
  "traced(source, x)": (x) => void traced(source(), x),
  "listen returns x": (x) =>
    opened(() => bind(PEER, { carrier: { listen: () => x } })),
  "dial returns x": async (x) =>
    opened(
      await connect(PEER, { carrier: { listen: () => x, dial: () => x } })
        .then((s) => () => s),
    ),
  "collect(x)": (x) => collect(x),
  "collect(socket, x)": (x) => bound((s) => collect(s, x).stop()),
  "bound.send(x, addr)": (x) => bound((s) => s.send(x, PEER)),
  'bound.send("x", x)': (x) => bound((s) => s.send("x", x)),
  'bound.send("x", addr, x)': (x) => bound((s) => s.send("x", PEER, x)),
  "bound.sendMany(x)": (x) => bound((s) => s.sendMany(x, NOW)),
  "bound.sendMany([x])": (x) => bound((s) => s.sendMany([x])),
  "bound.sendMany([], x)": (x) => bound((s) => s.sendMany([], x)),
  "bound.sendRun(x, 1, addr)": (x) => bound((s) => s.sendRun(x, 1, PEER)),
  'bound.sendRun("x", x, addr)': (x) => bound((s) => s.sendRun("x", x, PEER)),
  'bound.sendRun("x", 1, x)': (x) => bound((s) => s.sendRun("x", 1, x)),
  'bound.sendRun("x", 1, addr, x)': (x) =>
    bound((s) => s.sendRun("x", 1, PEER, x)),
  "an iterator x of sendMany": (x) =>
    bound((s) => s.sendMany({ [Symbol.iterator]: () => x }, NOW)),
  "an async iterator x of sendMany": (x) =>
    bound((s) => s.sendMany({ [Symbol.asyncIterator]: () => x }, NOW)),
  "a result x of an async iterator": (x) =>
    bound((s) =>
      s.sendMany({ [Symbol.asyncIterator]: () => ({ next: () => x }) }, NOW)
    ),
  "client.send(x)": (x) => client((s) => s.send(x)),
  "client.onSendError = x": (x) => client((s) => s.onSendError = x),
  'client.send("x", x)': (x) => client((s) => s.send("x", x)),
  "client.sendMany([x])": (x) => client((s) => s.sendMany([x])),
  "client.request(x)": (x) => client((s) => s.request(x, NOW)),
  'client.request("x", x)': (x) =>
    client((s) => briefly(() => s.request("x", x))),
  "bound.receive(x)": (x) => bound((s) => briefly(() => s.receive(x))),
  "bound.batches(x)": (x) => bound((s) => s.batches(x)),
  "bound.runs(x)": (x) => bound((s) => s.runs(x)),
  'bound.answer("x", x)': (x) => bound((s) => s.answer("x", x)),
  "bound.answer(x, datagram)": (x) =>
    bound((s) => s.answer(x, new Datagram(new Uint8Array(1), PEER))),
  "bound.joinMulticast(x)": (x) => bound((s) => s.joinMulticast(x)),
  "bound.joinMulticast(group, x)": (x) =>
    bound((s) => s.joinMulticast(GROUP, x)),
  ...each(
    [
      "maxSize",
      "allow",
      "deny",
      "rateLimit",
      "answerLimit",
      "maxAmplification",
      "carrier",
      "family",
      "reuseAddress",
    ],
    (name) => `bind(addr, { ${name} })`,
    (options) => opened(() => bind(LOOPBACK, options)),
  ),
  ...each(
    ["perSecond", "burst"],
    (name) => `rateLimit: { ${name} }`,
    (rate) =>
      opened(() =>
        bind(PEER, { carrier: source(), rateLimit: { perSecond: 1, ...rate } })
      ),
  ),
  ...each(
    ["schemes", "listen", "dial"],
    (name) => `carrier: { ${name} }`,
    async (members) => {
      const carrier = { ...source(), ...members } as CarrierSource;
      await opened(() => bind(PEER, { carrier }));
      opened(await connect(PEER, { carrier }).then((s) => () => s));
    },
  ),
  ...each(
    ["onListen", "onError", "signal", "maxConcurrent"],
    (name) => `serve(addr, f, { ${name} })`,
    (options) =>
      opened(() =>
        serve(PEER, () => {}, { onError() {}, carrier: source(), ...options })
      ),
  ),
  ...each(
    ["timeoutMs", "signal", "retries", "match"],
    (name) => `client.request("x", { ${name} })`,
    (options) => client((s) => briefly(() => s.request("x", options))),
  ),
  ...each(
    ["timeoutMs", "signal", "max", "reuse"],
    (name) => `bound.batches({ ${name} })`,
    (options) => bound((s) => briefly(() => s.batches(options).next())),
  ),
  ...each(
    ["timeoutMs", "signal", "reuse"],
    (name) => `bound.runs({ ${name} })`,
    (options) => bound((s) => briefly(() => s.runs(options).next())),
  ),
  ...each(
    ["timeoutMs", "signal"],
    (name) => `send and receive with { ${name} }`,
    (options) =>
      bound(async (s) => {
        await s.send("x", PEER, options);
        await s.sendMany([], options);
        await s.sendRun("x", 1, PEER, options);
        await briefly(() => s.receive(options));
      }),
  ),
  ...each(
    ["interface", "ttl", "loopback"],
    (name) => `joinMulticast(group, { ${name} })`,
    (options) =>
      bound(async (s) => {
        for (const group of [GROUP, "ff02::1"]) {
          await s.joinMulticast(group, options);
        }
      }),
  ),
  ...each(
    ["sinks", "count", "timeoutMs", "firstId", "answer", "onError"],
    (name) => `collect(socket, { ${name} })`,
    (options) => bound((s) => collect(s, options).stop()),
  ),
  ...each(
    ["transport", "hostname", "port", "scheme", "path"],
    (name) => `an address with ${name}`,
    (members) => {
      const to = { ...PEER, ...members };
      formatAddress(to);
      return bound(async (s) => {
        await s.send("x", to);
        await s.answer("x", { data: new Uint8Array(1), from: to });
      });
    },
  ),
  ...each(
    ["close", "end"],
    (name) => `a carrier with ${name}`,
    (members) =>
      new DatagramSocket(Object.assign(new FakeCarrier({}), members)),
  ),
  ...each(
    [
      "addr",
      "receive",
      "send",
      "clock",
      "maxReceive",
      "leavesMemory",
      "opened",
      "closed",
      "maxSize",
      "receiveBatch",
      "sendBatch",
      "drops",
      "connections",
      "kernelDrops",
      "ref",
      "unref",
    ],
    (name) => `a carrier with ${name}`,
    async (members) => {
      const carrier = new FakeCarrier({}) as Carrier;
      await using socket = new DatagramSocket(
        Object.assign(carrier, members),
      );
      await socket.opened;
      void socket.stats;
      await socket.kernelDrops();
      await socket.send("x", LOCAL);
      await socket.receive(NOW);
    },
  ),
});
