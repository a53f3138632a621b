/** Programs with planted bugs, for searches. */
import { bind, connect, type ConnectedSocket } from "../../mod.ts";
import type { SimulatedNetwork } from "../../lib/testing/mod.ts";

export const SERVER = "10.0.0.1:53";
export const CLIENT = "10.0.0.2:49152";

/** Faults of all kinds. */
export const ROUGH = {
  loss: 0.1,
  duplicate: 0.1,
  reorder: 0.2,
  corrupt: 0.01,
  delayMs: { min: 1, max: 40 },
};

export const sleep = (ms: number): Promise<void> =>
  new Promise((wake) => setTimeout(wake, ms));

/**
 * Runs a server, which answers each datagram by a function's text, and a client.
 *
 * @param talk What the client does.
 */
export async function talk(
  network: SimulatedNetwork,
  answer: (text: string) => string | undefined,
  talk: (client: ConnectedSocket) => Promise<void>,
): Promise<void> {
  await using server = bind(`udp://${SERVER}`, { carrier: network });
  const serving = (async () => {
    for await (const datagram of server) {
      const text = answer(datagram.text());
      if (text !== undefined) await server.send(text, datagram.from);
    }
  })();
  {
    await using client = await connect(server.addr, {
      carrier: network.host("10.0.0.2"),
    });
    // A server that is closed or has crashed does not end the client.
    const failed = serving.then(() => new Promise<never>(() => {}));
    await Promise.race([talk(client), failed]);
  }
}

/** Asks, and returns the answer, or nothing if none came within 100 ms. */
export async function ask(
  client: ConnectedSocket,
  text: string,
): Promise<string | undefined> {
  await client.send(text);
  const end = performance.now() + 100;
  for (;;) {
    const timeoutMs = end - performance.now();
    if (timeoutMs <= 0) return undefined;
    const reply = await client.receive({ timeoutMs }).catch(() => undefined);
    if (reply === undefined) return undefined;
    if (reply.text() === `re ${text}`) return reply.text();
  }
}

const echo = (text: string) => `re ${text}`;

/** Fails if the second reply does not come, by whichever way it is lost. */
export async function secondReply(network: SimulatedNetwork): Promise<void> {
  await talk(network, echo, async (client) => {
    for (let n = 1; n <= 4; n++) {
      const reply = await ask(client, `${n}`);
      if (reply === undefined && n === 2) throw new Error("no second reply");
    }
  });
}

/** Fails if a datagram arrives twice. */
export async function duplicated(network: SimulatedNetwork): Promise<void> {
  const seen = new Set<string>();
  await talk(network, (text) => {
    if (seen.has(text) && /^\d$/.test(text)) {
      throw new RangeError(`${text} came twice`);
    }
    seen.add(text);
    return undefined;
  }, async (client) => {
    for (let n = 1; n <= 9; n++) {
      await client.send(`${n}`);
      await sleep(50);
    }
  });
}

/** Fails if the third datagram overtakes the second one. */
export async function overtaken(network: SimulatedNetwork): Promise<void> {
  let hasSecond = false;
  await talk(network, (text) => {
    if (text === "2") hasSecond = true;
    if (text === "3" && !hasSecond) throw new Error("3 before 2");
    return undefined;
  }, async (client) => {
    for (let n = 1; n <= 6; n++) {
      await client.send(`${n}`);
      await sleep(5);
    }
    await sleep(200);
    if (!hasSecond) await sleep(1);
  });
}

/** Waits for ever if its only request, or the reply to it, is lost. */
export async function deadlock(network: SimulatedNetwork): Promise<void> {
  await talk(network, echo, async (client) => {
    await client.send("0");
    await client.receive();
  });
}

/** Fails if its server crashes between the request and the reply. */
export async function crashed(network: SimulatedNetwork): Promise<void> {
  const host = network.host("10.0.0.1");
  await talk(network, echo, async (client) => {
    network.clock.after(30, () => host.crash());
    for (let n = 1; n <= 3; n++) {
      if (!host.isUp) break;
      if (await ask(client, `${n}`) === undefined && !host.isUp) {
        throw new Error(`no reply to ${n}`);
      }
    }
  });
}

/** Has two bugs: one if a datagram arrives twice, and one if one is lost. */
export async function several(network: SimulatedNetwork): Promise<void> {
  const seen = new Set<string>();
  await talk(network, (text) => {
    if (seen.has(text)) throw new Error("twice");
    seen.add(text);
    return undefined;
  }, async (client) => {
    for (let n = 1; n <= 6; n++) {
      await client.send(`${n}`);
      await sleep(50);
    }
    if (seen.size < 6) throw new Error("missing");
  });
}

/** Fails if both the second and the fifth datagram do not arrive. */
export async function twoLost(network: SimulatedNetwork): Promise<void> {
  const seen = new Set<string>();
  await talk(network, (text) => {
    seen.add(text);
    return undefined;
  }, async (client) => {
    for (let n = 1; n <= 9; n++) {
      await client.send(`${n}`);
      await sleep(50);
    }
    if (!seen.has("2") && !seen.has("5")) {
      throw new Error("2 and 5 are missing");
    }
  });
}
