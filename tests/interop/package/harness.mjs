// Tests of a project that has installed the package. They are the same under
// `node --test`, `bun test` and `deno test`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bind, connect, dgram, errors } from "@pli/datagram";
import {
  carrierContract,
  simulateNetwork,
  withServer,
} from "@pli/datagram/testing";

const delayMs = { min: 20, max: 80 };

test("a request is sent again until it is answered", () => {
  const network = simulateNetwork({
    seed: 7,
    loss: 0.3,
    reorder: 0.1,
    delayMs,
  });
  return network.run(() =>
    withServer((datagram) => `echo: ${datagram.text()}`, async (client) => {
      const reply = await client.request("ping", {
        timeoutMs: 200,
        retries: 9,
      });
      assert.equal(reply.text(), "echo: ping");
    }, { carrier: network })
  );
});

test("a receive that times out loses nothing", () => {
  const network = simulateNetwork({ delayMs: { min: 50, max: 50 } });
  return network.run(async () => {
    const options = { carrier: network };
    await using socket = bind("udp://10.0.0.1:7", options);
    await using client = await connect(socket.addr, options);
    await client.send("late");
    await assert.rejects(socket.receive({ timeoutMs: 20 }), errors.TimedOut);
    assert.equal((await socket.receive()).text(), "late");
  });
});

let network = simulateNetwork();
carrierContract("a simulated network", () => network, {
  test,
  around: (check) => {
    network = simulateNetwork();
    return network.run(check);
  },
});

carrierContract("node:dgram", () => dgram(), { test });
