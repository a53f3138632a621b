import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { bind, connect } from "../mod.ts";
import {
  simulateNetwork,
  withServer,
  withSockets,
} from "../lib/testing/mod.ts";
import { consoleErrors } from "./support/helpers.ts";

Deno.test("a stuck program ends, and the error lists the seed and the open sockets", async () => {
  const network = simulateNetwork({ seed: 77, stuckMs: 20 });
  const error = await assertRejects(() =>
    network.run(async () => {
      await using server = bind("udp://10.0.0.1:53", { carrier: network });
      await using client = await connect(server.addr, { carrier: network });
      await client.send("unread");
      await client.receive();
    }), Error);
  assertEquals(
    error.message,
    "The program is stuck: it waits, but nothing is pending on the simulated " +
      "network or its clock (if it waits for something real, raise stuckMs); " +
      "open sockets: udp://10.0.0.1:53 (1 unread), " +
      "udp://127.0.0.1:49152 (receiving) (simulated network, seed 77)",
  );
  await assertRejects(
    () => simulateNetwork({ stuckMs: 20 }).run(() => new Promise(() => {})),
    Error,
    "open sockets: none (simulated network, seed 1)",
  );
});

Deno.test("of many open sockets the error about a stuck program lists ten", async () => {
  const network = simulateNetwork({ stuckMs: 20 });
  await assertRejects(
    () =>
      network.run(async () => {
        for (let n = 0; n < 12; n++) {
          bind("udp://10.0.0.1:0", { carrier: network });
        }
        await new Promise(() => {});
      }),
    Error,
    "udp://10.0.0.1:49161 (idle), 2 more (simulated",
  );
});

Deno.test("a program that waits for something real for 1.5 s is not stuck by default", async () => {
  const network = simulateNetwork();
  const wait = () => new Promise((wake) => setTimeout(wake, 1500, "woken"));
  assertEquals(await network.run(wait), "woken");
});

Deno.test("a program that uses the network between real waits is not stuck", async () => {
  const network = simulateNetwork({ stuckMs: 300 });
  await network.run(() =>
    withSockets(async (socket, client) => {
      for (let n = 0; n < 6; n++) {
        await new Promise((wake) => setTimeout(wake, 100));
        await client.send(`${n}`);
        await socket.receive();
      }
    }, { carrier: network })
  );
});

for (const stuckMs of [0, -1, NaN, 1.5]) {
  Deno.test(`stuckMs ${stuckMs} is rejected`, () => {
    const wanted = "stuckMs must be a whole number from 1, or Infinity";
    assertThrows(() => simulateNetwork({ stuckMs }), RangeError, wanted);
  });
}

Deno.test("an error inside run keeps its class and identity, and has the seed", async () => {
  const network = simulateNetwork({ seed: 77 });
  const mine = new RangeError("mine");
  for (let time = 1; time <= 2; time++) {
    const error = await network.run(() => Promise.reject(mine)).catch((e) => e);
    assert(error === mine);
    assertEquals(mine.message, "mine (simulated network, seed 77)");
  }
});

const UNWRITABLE: [string, (fail: AbortController) => unknown, string][] = [
  ["an AbortSignal's", ({ signal }) => signal.reason, "stop"],
  ["a frozen", () => Object.freeze(new Error("frozen")), "frozen"],
  ["a thrown text's", () => "text", "text"],
  ["a thrown nothing's", () => undefined, "undefined"],
];
for (const [whose, make, text] of UNWRITABLE) {
  Deno.test(`${whose} message is not changed by run, and the seed is printed`, async () => {
    const controller = new AbortController();
    controller.abort(new DOMException("stop", "AbortError"));
    const thrown = make(controller);
    const network = simulateNetwork({ seed: 77 });
    const calls = await consoleErrors(async () => {
      const caught = await network.run(() => Promise.reject(thrown))
        .then(() => "resolved", (error) => error);
      assert(caught === thrown);
    });
    assertEquals(calls, [[`${text} (simulated network, seed 77)`]]);
  });
}

Deno.test("a receive that its signal ends rejects with the signal's reason in run", async () => {
  const network = simulateNetwork({ seed: 77 });
  const calls = await consoleErrors(async () => {
    const error = await assertRejects(() =>
      network.run(async () => {
        await using socket = bind("udp://127.0.0.1:0", { carrier: network });
        await socket.receive({ signal: AbortSignal.timeout(20) });
      }), DOMException);
    assertEquals(error.name, "TimeoutError");
  });
  assertEquals(calls.length, 1);
});

Deno.test("withServer fails with the error that the handler threw", async () => {
  const network = simulateNetwork();
  const error = await assertRejects(() =>
    network.run(() =>
      withServer(() => {
        throw new Deno.errors.NotFound("oops");
      }, async (client) => {
        await client.request("x").catch(() => {});
      }, { carrier: network })
    ), Deno.errors.NotFound);
  assertStringIncludes(error.message, "oops");
});

Deno.test("a callback of the clock that throws does not stop the time", async () => {
  const { clock } = simulateNetwork();
  const thrown = Promise.withResolvers<unknown>();
  const caught = (event: ErrorEvent) => {
    event.preventDefault();
    thrown.resolve(event.error);
  };
  addEventListener("error", caught);
  const mine = new Error("mine");
  clock.after(1, () => {
    throw mine;
  });
  await new Promise<void>((go) => void clock.after(2, go));
  assertEquals(await thrown.promise, mine);
  removeEventListener("error", caught);
});
