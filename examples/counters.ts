// Counters that are read over UDP: a server, a client that is wrong but passes
// its tests on loopback, and the fixed client. See docs/testing.md.

import type { ConnectedSocket, DatagramHandler } from "@pli/datagram";

export const VALUES: readonly number[] = [3, 1, 4, 1, 5];

/** Answers "get N" with "get N = VALUE". */
export const counters: DatagramHandler = (datagram) => {
  const question = datagram.text();
  return `${question} = ${VALUES[Number(question.split(" ")[1])]}`;
};

/** Accepts the next datagram as the answer. */
export async function readNaively(
  client: ConnectedSocket,
  n: number,
): Promise<number> {
  const limits = { timeoutMs: 100, retries: 9 };
  const reply = await client.request(`get ${n}`, limits);
  return Number(reply.text().split(" = ")[1]);
}

/** Accepts only the answer to its own question. */
export async function read(
  client: ConnectedSocket,
  n: number,
): Promise<number> {
  const reply = await client.request(`get ${n}`, {
    timeoutMs: 100,
    retries: 9,
    match: (datagram) => datagram.text().startsWith(`get ${n} = `),
  });
  return Number(reply.text().split(" = ")[1]);
}
