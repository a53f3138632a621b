/** A DNS client that asks for 1,000 names at once, over one bound socket. */
import { assert, assertEquals } from "@std/assert";
import { bind, type DatagramSocket } from "../mod.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";

const NAMES = Array.from({ length: 1000 }, (_, i) => `host${i}.example`);
const SERVER = "udp://10.0.0.53:53";

/** A question of the form of RFC 1035, section 4.1: one name, type A. */
function question(id: number, name: string): Uint8Array {
  const labels = name.split(".").map((label) =>
    new TextEncoder().encode(label)
  );
  const bytes = labels.flatMap((label) => [label.length, ...label]);
  const head = [id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  return new Uint8Array([...head, ...bytes, 0, 0, 1, 0, 1]);
}

/** The same question with its answer, an address. */
function answer(asked: Uint8Array, address: readonly number[]): Uint8Array {
  const head = asked.slice();
  head.set([0x81, 0x80], 2);
  head[7] = 1;
  const record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address];
  return new Uint8Array([...head, ...record]);
}

function nameIn(message: Uint8Array): string {
  const labels: string[] = [];
  for (let at = 12; message[at]! > 0; at += message[at]! + 1) {
    const label = message.subarray(at + 1, at + 1 + message[at]!);
    labels.push(new TextDecoder().decode(label));
  }
  return labels.join(".");
}

function addressOf(name: string): number[] {
  const n = Number(/\d+/.exec(name)?.[0]);
  return [10, 1, n >> 8, n & 255];
}

async function serveNames(server: DatagramSocket): Promise<void> {
  for await (const { data, from } of server) {
    await server.send(answer(data, addressOf(nameIn(data))), from);
  }
}

/** Asks for a name. What it gets is for its own id and question. */
async function lookUp(
  socket: DatagramSocket,
  id: number,
  name: string,
): Promise<string> {
  const asked = question(id, name);
  const { data } = await socket.request(asked, SERVER, {
    timeoutMs: 1000,
    retries: 20,
    backoff: { factor: 2, jitter: 0.5, maxMs: 8000 },
    match: ({ data }) =>
      data[0] === asked[0] && data[1] === asked[1] && (data[2]! & 0x80) > 0 &&
      nameIn(data) === name,
  });
  return data.subarray(-4).join(".");
}

for (const seed of [1, 2, 3]) {
  Deno.test(`1,000 names over one socket at 20 % loss: all answered rightly, seed ${seed}`, async () => {
    const network = simulateNetwork({
      ...{ seed, loss: 0.2, duplicate: 0.1, reorder: 0.1 },
      delayMs: { min: 5, max: 300 },
    });
    await network.run(async () => {
      await using server = bind(SERVER, { carrier: network });
      const serving = serveNames(server);
      const carrier = network.host("10.0.0.1");
      await using socket = bind("udp://10.0.0.1:5353", { carrier });
      const answers = await Promise.all(
        NAMES.map((name, id) => lookUp(socket, id, name)),
      );
      assertEquals(answers, NAMES.map((name) => addressOf(name).join(".")));
      // What else came is late or double, and waits or is counted.
      const { sent, received, waiting, dropped } = socket.stats;
      assertEquals(received, 1000);
      assert(sent > 1100, `${sent}`);
      assert(waiting + dropped["queueFull"]! > 0);
      server.close();
      await serving;
    });

    // The first 1,000 are the first sends, all at one moment.
    const resends = network.trace.filter(({ from, n, copy }) =>
      from.endsWith(":5353") && n > 1000 && !copy
    );
    const moments = resends.map(({ sent }) => sent);
    assert(moments.length > 100);
    assertEquals(new Set(moments).size, moments.length);
  });
}
