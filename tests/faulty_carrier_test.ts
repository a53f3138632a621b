import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  bind,
  type Carrier,
  connect,
  ConnectedSocket,
  DatagramSocket,
  serve,
  SocketClosedError,
} from "../mod.ts";
import { type SimulatedNetwork, simulateNetwork } from "../lib/testing/mod.ts";

const STEPS = 8;
const OPERATIONS = ["receive", "send", "close"] as const;
const HOW = ["rejects", "throws"] as const;

type Operation = typeof OPERATIONS[number];

/** Makes a carrier of which one call of one operation fails. */
function failing(
  carrier: Carrier,
  operation: Operation,
  step: number,
  how: typeof HOW[number],
): { carrier: Carrier; fault: Error; failed: () => boolean } {
  const fault = new Deno.errors.NetworkUnreachable("injected");
  let calls = 0;
  const fails = (called: Operation) => called === operation && ++calls === step;
  const fail = () => {
    if (how === "throws" || operation === "close") throw fault;
    return Promise.reject(fault);
  };
  return {
    fault,
    failed: () => calls >= step,
    carrier: {
      addr: carrier.addr,
      ...carrier.clock && { clock: carrier.clock },
      receive: (p) => fails("receive") ? fail() : carrier.receive(p),
      send: (p, to) => fails("send") ? fail() : carrier.send(p, to),
      close: () => {
        carrier.close();
        if (fails("close")) fail();
      },
    },
  };
}

/** Sends and receives in both directions. Returns the errors. */
async function converse(
  network: SimulatedNetwork,
  carrier: Carrier,
): Promise<unknown[]> {
  const errors: unknown[] = [];
  const note = (error: unknown) => void errors.push(error);
  const socket = new DatagramSocket(carrier);
  await using client = await connect(socket.addr, { carrier: network });
  for (let n = 0; n < STEPS; n++) {
    await client.send(`${n}`);
    await socket.receive({ timeoutMs: 10 })
      .then(({ data, from }) => socket.send(data, from)).catch(note);
    await client.receive({ timeoutMs: 10 }).catch(note);
  }
  const { sent, sendFailed } = socket.stats;
  assert(sent + sendFailed <= STEPS);
  await socket[Symbol.asyncDispose]().catch(note);
  await assertRejects(() => socket.receive(), SocketClosedError);
  await assertRejects(() => socket.send("x", client.addr), SocketClosedError);
  return errors;
}

for (const operation of OPERATIONS) {
  for (const how of HOW) {
    Deno.test(`if a carrier's ${operation} ${how} at any step, the caller gets the error`, async () => {
      const steps = operation === "close" ? 1 : STEPS;
      for (let step = 1; step <= steps; step++) {
        const network = simulateNetwork();
        await network.run(async () => {
          const sound = network.listen({
            transport: "udp",
            hostname: "10.0.0.1",
            port: 1,
          });
          const faulty = failing(sound, operation, step, how);
          const errors = await converse(network, faulty.carrier);
          assertEquals(faulty.failed(), true);
          const injected = errors.filter((error) =>
            error instanceof Deno.errors.NetworkUnreachable
          );
          assertEquals(injected.length, 1, `step ${step}`);
          const [error] = injected;
          assert(error instanceof Error && error.cause === faulty.fault);
          assert(
            /^Cannot (receive on|send|close) .*: injected$/.test(error.message),
          );
          // The only other consequence is that datagrams are missing.
          assert(
            errors.every((error) =>
              error === injected[0] || error instanceof Deno.errors.TimedOut
            ),
            String(errors),
          );
        });
      }
    });

    Deno.test(`a server goes on if its carrier's ${operation} ${how}`, async () => {
      const steps = operation === "close" ? 1 : STEPS;
      for (let step = 1; step <= steps; step++) {
        const network = simulateNetwork();
        let fault: Error | undefined;
        const source = {
          listen: (address: Deno.NetAddr | Deno.UnixAddr) => {
            const faulty = failing(
              network.listen(address),
              operation,
              step,
              how,
            );
            fault = faulty.fault;
            return faulty.carrier;
          },
        };
        await network.run(async () => {
          const errors: unknown[] = [];
          const server = serve("udp://10.0.0.1:1", ({ data }) => data, {
            carrier: source,
            onError: (error) => errors.push(error),
          });
          await using client = await connect(server.addr, { carrier: network });
          for (let n = 0; n < STEPS; n++) {
            const reply = await client.request(`${n}`, {
              timeoutMs: 50,
              retries: 2,
              match: (datagram) => datagram.text() === `${n}`,
            });
            assertEquals(reply.text(), `${n}`);
          }
          await server.shutdown().catch((error) => errors.push(error));
          assertEquals(errors.length, 1, `step ${step}: ${errors}`);
          assertEquals((errors[0] as Error).cause, fault);
        });
      }
    });
  }
}

Deno.test("a request is sent again if the carrier fails once", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using socket = bind("udp://10.0.0.1:1", { carrier: network });
    const dialled = await network.dial!(socket.addr);
    const { carrier } = failing(dialled, "send", 1, "rejects");
    await using client = new ConnectedSocket(carrier, socket.addr);
    const request = client.request("x", { timeoutMs: 10, retries: 1 });
    const { data, from } = await socket.receive();
    await socket.send(data, from);
    assertEquals((await request).text(), "x");
    assertEquals(client.stats.sendFailed, 1);
  });
});
