import { deepEqual, equal, ok } from "node:assert/strict";
import type { NetAddr } from "../../addr.ts";
import type { ConnectedSocket } from "../../socket/connected_socket.ts";
import { type Abilities, type Check, type Ends, TRIES } from "./ends.ts";

const COUNT = 20;
const AGAIN_MS = 250;

/** Requests of a bound socket, and replies that are gathered. */
export function requests(
  check: Check,
  { answers, lossless, ordered }: Abilities,
): void {
  if (!answers) return;
  const isExact = lossless && ordered;

  check(
    "a bound socket's requests get the replies of their peers",
    async (ends) => {
      const { socket, patienceMs } = ends;
      const { peers, stop } = await answering(ends, (text) => [`re: ${text}`]);
      const replies = await Promise.all(
        Array.from(
          { length: COUNT },
          (_, i) =>
            socket.request(`${i}`, peers[i % peers.length]!, {
              match: (reply) => reply.text() === `re: ${i}`,
              timeoutMs: patienceMs,
              retries: TRIES,
            }),
        ),
      );
      for (const [i, { from, data }] of replies.entries()) {
        equal(new TextDecoder().decode(data), `re: ${i}`);
        deepEqual({ ...from }, { ...peers[i % peers.length] });
      }
      await stop();
    },
  );

  check(
    "replies are gathered, one of each peer; others are for receive",
    async (ends) => {
      const { socket, texts } = ends;
      const { peers, stop } = await answering(ends, () => ["me", "me again"]);
      const heard: NetAddr[] = [];
      const options = {
        forMs: Infinity,
        unique: "peer",
        resendMs: lossless ? undefined : AGAIN_MS,
      } as const;
      for await (const reply of socket.gather("who?", peers, options)) {
        ok(!isExact || reply.text() === "me");
        heard.push({ ...reply.from });
      }
      const ports = (list: NetAddr[]) =>
        list.map(({ port }) => port).toSorted();
      deepEqual(ports(heard), ports(peers));
      const rest = await texts(socket, peers.length);
      if (isExact) deepEqual(rest, ["me again", "me again"]);
      await stop();
    },
  );
}

/** Makes two clients answer. Returns their addresses, as the socket has them. */
async function answering(
  { socket, client, another, pass }: Ends,
  answers: (text: string) => string[],
): Promise<{ peers: NetAddr[]; stop(): Promise<void> }> {
  const clients = [client, await another()];
  const peers: NetAddr[] = [];
  for (const one of clients) peers.push((await pass("hello", one)).from);
  // What was passed twice, as it seemed to be lost, is no reply.
  while (await socket.tryReceive());
  const loops = clients.map((one) => one[Symbol.asyncIterator]());
  const all = clients.map((one, i) => answerAll(one, loops[i]!, answers));
  return {
    peers,
    async stop() {
      for (const loop of loops) await loop.return?.();
      await Promise.all(all);
    },
  };
}

async function answerAll(
  client: ConnectedSocket,
  loop: ReturnType<ConnectedSocket[typeof Symbol.asyncIterator]>,
  answers: (text: string) => string[],
): Promise<void> {
  for await (const datagram of loop) {
    for (const text of answers(datagram.text())) await client.send(text);
  }
}
