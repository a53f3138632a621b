import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { bind, type Carrier, connect, parseAddress, serve } from "../mod.ts";
import { countingSignal, FakeCarrier } from "./support/fakes.ts";
import { LOOPBACK, PEER, SOON, turn } from "./support/helpers.ts";

/** A source whose dialing ends when the test says so. */
function slow() {
  const dialing = Promise.withResolvers<Carrier>();
  const carrier = new FakeCarrier({});
  const source = {
    listen: () => carrier,
    dial: () => dialing.promise,
  };
  return { carrier, source, dialing };
}

Deno.test("connect times out after timeoutMs, and closes what is dialed later", async () => {
  const { carrier, source, dialing } = slow();
  const error = await assertRejects(
    () => connect(PEER, { carrier: source, timeoutMs: 5 }),
    Deno.errors.TimedOut,
    "Cannot connect to udp://127.0.0.1:40000: not done within 5 ms",
  );
  assertEquals((error as { operation?: string }).operation, "connect");
  assertEquals(carrier.calls, []);
  dialing.resolve(carrier);
  await turn();
  assertEquals(carrier.calls, ["close"]);
});

Deno.test("an aborted connect rejects with the reason, and closes what is dialed later", async () => {
  const { carrier, source, dialing } = slow();
  const abort = new AbortController();
  const reason = { enough: true };
  const connecting = connect(PEER, { carrier: source, signal: abort.signal })
    .catch((reason) => reason);
  abort.abort(reason);
  assertStrictEquals(await connecting, reason);
  dialing.resolve(carrier);
  await turn();
  assertEquals(carrier.calls, ["close"]);
});

Deno.test("a dialing that fails after its connect was given up on is handled", async () => {
  const { source, dialing } = slow();
  await assertRejects(
    () => connect(PEER, { carrier: source, timeoutMs: 0 }),
    Deno.errors.TimedOut,
  );
  dialing.reject(new Error("late"));
  await turn();
});

Deno.test("connect with an aborted signal dials nothing", async () => {
  let dials = 0;
  const { carrier } = slow();
  const source = {
    listen: () => carrier,
    dial: () => (dials++, Promise.resolve(carrier)),
  };
  const reason = await connect(PEER, {
    carrier: source,
    signal: AbortSignal.abort("before"),
  }).catch((reason) => reason);
  assertEquals([reason, dials], ["before", 0]);
});

Deno.test("a connect that is done leaves no timer and no listener", async () => {
  const { carrier, source, dialing } = slow();
  const { signal, listeners } = countingSignal();
  dialing.resolve(carrier);
  await using client = await connect(PEER, {
    carrier: source,
    timeoutMs: 100_000,
    signal,
  });
  assertEquals(listeners(), 0);
  await client.send("x");
});

for (
  const options of [{ timeoutMs: -1 }, { timeoutMs: null }, { signal: {} }]
) {
  Deno.test(`connect refuses ${Deno.inspect(options)}, and dials nothing`, async () => {
    await assertRejects(
      () =>
        connect(PEER, {
          carrier: {
            listen: () => new FakeCarrier({}),
            dial() {
              throw new Error("dialed");
            },
          },
          ...options as object,
        }),
      Error,
      " must be ",
    );
  });
}

Deno.test("a carrier that no socket can be made of is closed", async () => {
  const carrier = Object.assign(new FakeCarrier({}), { maxReceive: NaN });
  const source = {
    listen: () => carrier,
    dial: () => Promise.resolve(carrier),
  };
  await assertRejects(() => connect(PEER, { carrier: source }), RangeError);
  await assertRejects(
    () => Promise.try(() => bind(PEER, { carrier: source })),
    RangeError,
  );
  assertEquals(carrier.calls, ["close", "close"]);
});

Deno.test("bind, connect and serve take what parseAddress returns", async () => {
  await using socket = bind(parseAddress(LOOPBACK));
  assert("port" in socket.addr);
  await using client = await connect(
    parseAddress(`127.0.0.1:${socket.addr.port}`),
  );
  await client.send("x");
  const { from } = await socket.receive(SOON);
  await socket.send("y", from);
  assertEquals((await client.receive(SOON)).text(), "y");
  await using server = serve(parseAddress(LOOPBACK), ({ data }) => data);
  assert("port" in server.addr);
});
