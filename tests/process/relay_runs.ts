// The relay over a carrier that has runs.
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  bind,
  connect,
  type DatagramSocket,
  SocketClosedError,
} from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { Link, seedOf } from "../../lib/testing/link.ts";
import { startRelay } from "../../lib/testing/mod.ts";
import { SOON, turn } from "../support/helpers.ts";
import { assertAddsUp } from "../support/relays.ts";

const carrier = offload();
const LISTEN = "udp://127.0.0.1:0";
const SEED = 7;
const WINDOW = 200;
const SIZE = 60;

/** Numbered datagrams in one piece. */
function numbered(first: number): Uint8Array {
  const data = new Uint8Array(WINDOW * SIZE);
  const view = new DataView(data.buffer);
  for (let n = 0; n < WINDOW; n++) view.setUint32(n * SIZE, first + n);
  return data;
}

/** Receives that many; returns their numbers and the number of runs. */
async function receiveNumbers(socket: DatagramSocket, count: number) {
  const numbers: number[] = [];
  let runs = 0;
  if (count === 0) return { numbers, runs };
  for await (const run of socket.runs(SOON)) {
    runs++;
    for (const bytes of run) {
      assertEquals(bytes.length, SIZE);
      numbers.push(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0));
    }
    if (numbers.length >= count) break;
  }
  return { numbers, runs };
}

for (const loss of [0, 0.01, 0.3, 1]) {
  Deno.test(`a relay decides on each datagram of a run: loss ${loss}`, async () => {
    const faults = { loss };
    await using server = bind(LISTEN, { carrier });
    const options = { carrier, seed: SEED, ...faults };
    await using relay = startRelay({
      listen: LISTEN,
      to: server.addr,
      ...options,
    });
    await using client = await connect(relay.addr, { carrier });
    const link = new Link(seedOf(SEED, "up 1"), faults);
    let [arrived, runs] = [0, 0];
    for (let first = 0; first < 10 * WINDOW; first += WINDOW) {
      const expected = Array.from({ length: WINDOW }, (_, n) => first + n)
        .filter(() => link.cross(SIZE, 0)[0].fate === "passed");
      assertEquals(await client.sendRun(numbered(first), SIZE), WINDOW);
      const got = await receiveNumbers(server, expected.length);
      assertEquals(got.numbers, expected);
      arrived += expected.length;
      runs += got.runs;
      while (relay.stats.up.received < first + WINDOW) await turn();
    }
    const { received, forwarded, lost } = relay.stats.up;
    assertEquals([received, forwarded], [10 * WINDOW, arrived]);
    assertEquals(forwarded + lost, received);
    // What passes together is sent in one piece.
    if (loss === 0) assert(runs < arrived / 4, `${runs} runs`);
  });
}

Deno.test("a relay of runs adds up with every fault, in both directions", async () => {
  await using server = bind(LISTEN, { carrier });
  await using relay = startRelay({
    ...{ listen: LISTEN, to: server.addr, carrier, seed: SEED },
    ...{ loss: 0.1, duplicate: 0.1, corrupt: 0.1, reorder: 0.1, mtu: SIZE },
    delayMs: { min: 0, max: 2 },
  });
  await using client = await connect(relay.addr, { carrier });
  const echoing = (async () => {
    for await (const run of server.runs()) {
      // It is closed while it sends.
      await server.sendRun(run.data, run.segmentSize, run.from)
        .catch((error) => assertInstanceOf(error, SocketClosedError));
    }
  })();
  const reading = (async () => {
    for await (const _ of client.runs({ reuse: true }));
  })();
  const hasAll = () => {
    const { up, down } = relay.stats;
    return up.lost > 0 && up.overMtu > 0 && up.duplicated > 0 &&
      up.corrupted > 0 && up.reordered > 0 && down.forwarded > 0;
  };
  for (let first = 0; !hasAll(); first += WINDOW) {
    await client.sendRun(numbered(first), SIZE);
    await client.sendRun("", 0);
    await client.sendRun(new Uint8Array(3 * SIZE + 3), SIZE + 1);
    await turn();
  }
  while (relay.stats.up.inFlight + relay.stats.down.inFlight > 0) await turn();
  const { up, down } = relay.stats;
  for (const direction of [up, down]) assertAddsUp(direction);
  server.close();
  client.close();
  await Promise.all([echoing, reading]);
});

Deno.test("the fate of each datagram of a run is told, the shorter last one too", async () => {
  const told: string[] = [];
  await using server = bind(LISTEN, { carrier });
  const relay = startRelay({
    listen: LISTEN,
    to: server.addr,
    carrier,
    onFate: ({ data, fate }) =>
      void told.push(`${fate} ${data.length} ${data[0]}`),
  });
  await using client = await connect(relay.addr, { carrier });
  const run = new Uint8Array(3 * SIZE + 1);
  for (let n = 0; n <= 3; n++) run.fill(n, n * SIZE);
  await client.sendRun(run, SIZE);
  for (let n = 0; n <= 3; n++) await server.receive(SOON);
  await relay.close();
  assertEquals(
    told,
    [0, 1, 2, 3].map((n) => `forwarded ${n < 3 ? SIZE : 1} ${n}`),
  );
});
