import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { quic } from "../lib/carriers/quic.ts";
import { tcp } from "../lib/carriers/tcp.ts";
import { tls } from "../lib/carriers/tls.ts";
import {
  makeCertificate,
  simulateNetwork,
  startRelay,
  withServer,
  withSockets,
} from "../lib/testing/mod.ts";

// As plain JavaScript passes it: the types allow none of it.
// deno-lint-ignore no-explicit-any
type Anything = any;

const PATH = { listen: "udp://127.0.0.1:0", to: "udp://127.0.0.1:9" };
const GROUND = {
  text: "text",
  number: 5,
  null: null,
};

for (const [kind, value] of Object.entries<Anything>(GROUND)) {
  for (
    const [what, call] of [
      ["tcp", () => tcp(value)],
      ["tls", () => tls(value)],
      ["quic", () => quic(value)],
      ["startRelay", () => startRelay(value)],
      ["simulateNetwork", () => simulateNetwork(value)],
      ["network.set", () => simulateNetwork().set(value)],
      [
        "network.set for a direction",
        () => simulateNetwork().set({ loss: 1 }, value),
      ],
      ["network.run", () => simulateNetwork().run(value)],
      ["makeCertificate", () => makeCertificate(value)],
      ["makeCertificate with hosts", () => makeCertificate({ hosts: value })],
      ["withServer", () => withServer(() => {}, async () => {}, value)],
      ["withServer as its test", () => withServer(() => {}, value)],
      ["withSockets", () => withSockets(async () => {}, value)],
      ["withSockets as its test", () => withSockets(value)],
    ] as [string, () => unknown][]
  ) {
    Deno.test(`${what} rejects ${kind} instead of what it takes, in one line`, async () => {
      const error = await assertRejects(async () => await call(), TypeError);
      const given = typeof value === "string" ? `"${value}"` : `${value}`;
      assert(/^Cannot .* must be /.test(error.message), error.message);
      assert(error.message.includes(`given ${given}`), error.message);
    });
  }
}

Deno.test("relay.set rejects what are no faults, and no direction", async () => {
  await using relay = startRelay(PATH);
  for (const value of [undefined, ...Object.values(GROUND)] as Anything[]) {
    const fails = () => relay.set(value);
    assertThrows(fails, TypeError, "Cannot simulate faults: ");
  }
  for (const direction of ["sideways", "UP", 5, null, {}] as Anything[]) {
    const fails = () => relay.set({ loss: 1 }, direction);
    const wanted = 'direction must be "up" or "down": given ';
    assertThrows(fails, RangeError, wanted);
  }
  relay.set({ loss: 1 }, undefined);
});

for (const name of ["los", "Loss", "delay", "__proto__x"]) {
  Deno.test(`a fault that does not exist is rejected: ${name}`, async () => {
    const faults = { [name]: 1 } as Anything;
    await using relay = startRelay(PATH);
    const network = simulateNetwork();
    for (
      const give of [
        () => simulateNetwork(faults),
        () => startRelay({ ...PATH, ...faults }),
        () => relay.set(faults),
        () => network.set(faults),
        () => network.set(faults, { from: "10.0.0.1" }),
      ]
    ) assertThrows(give, TypeError, `there is no fault "${name}"`);
    relay.set({ [name]: undefined } as Anything);
  });
}

Deno.test("a direction of network.set with a misspelled name is rejected", () => {
  const direction = { form: "10.0.0.1" } as Anything;
  assertThrows(
    () => simulateNetwork().set({ loss: 1 }, direction),
    TypeError,
    'a direction has "from" and "to": given "form"',
  );
});

for (
  const [options, says] of [
    [{ idleMs: "60000" }, 'idleMs must be a number above 0: given "60000"'],
    [{ onError: 5 }, "onError must be a function: given 5"],
    [{ delayMs: 20 }, "delayMs.max must be a number from 0: given undefined"],
    [{ delayMs: null }, "delayMs.max must be a number from 0: given undefined"],
  ] as [Anything, string][]
) {
  Deno.test(`startRelay rejects ${JSON.stringify(options)} in one line`, () => {
    const error = assertThrows(
      () => startRelay({ ...PATH, ...options }),
      Error,
    );
    assert(error.message.includes(says), error.message);
  });
}

Deno.test("a carrier without options is that of a client", () => {
  for (const source of [tcp, tls, quic]) {
    assertEquals<unknown>(source().schemes, [source.name]);
    assertEquals<unknown>(source(undefined).schemes, [source.name]);
  }
});

for (const ms of [NaN, -5, -Infinity, undefined]) {
  Deno.test(`a virtual clock takes ${ms} ms for 0, and its time never goes back`, async () => {
    const { clock, run } = network();
    const times: number[] = [];
    await run(async () => {
      await new Promise<void>((go) => void clock.after(10, go));
      await new Promise<void>((go) => void clock.after(ms as number, go));
      times.push(clock.now());
      await new Promise<void>((go) => void clock.after(5, go));
      times.push(clock.now());
    });
    assertEquals(times, [10, 15]);
  });
}

Deno.test("what is planned for never does not come, and the time does not jump there", async () => {
  const { clock, run } = network();
  await run(async () => {
    const cancel = clock.after(Infinity, () => assert(false));
    await new Promise<void>((go) => void clock.after(10, go));
    cancel();
  });
  assertEquals(clock.now(), 10);
});

function network() {
  const network = simulateNetwork();
  return {
    clock: network.clock,
    run: (program: () => Promise<void>) => network.run(program),
  };
}
