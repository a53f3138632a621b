import { deepEqual, equal, ok } from "node:assert/strict";
import type { NetAddr } from "../../addr.ts";
import type { ConnectedSocket } from "../../socket/connected_socket.ts";
import type { DatagramSocket } from "../../socket/datagram_socket.ts";
import { type Abilities, type Check, type Ends, TRIES } from "./ends.ts";
import { numbers } from "./messages.ts";

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

  for (const [name, loop] of Object.entries(LOOPS)) {
    check(
      `a loop of ${name} gets what no request takes, once each`,
      async (ends) => {
        if (!isExact) return;
        const { socket, client, pass, patienceMs } = ends;
        const { from } = await pass("hello");
        const looping = loop(socket);
        const asking = ["1", "2"].map((id) =>
          socket.request(id, from, {
            match: (reply) => reply.text() === `re: ${id}`,
            timeoutMs: patienceMs,
          })
        );
        for (const _ of asking) await client.receive({ timeoutMs: patienceMs });
        const all = numbers(COUNT);
        await client.sendMany(all.toSpliced(COUNT / 2, 0, "re: 2", "re: 1"));
        const replies = await Promise.all(asking);
        deepEqual(replies.map((reply) => reply.text()), ["re: 1", "re: 2"]);
        deepEqual(await looping, all);
      },
    );
  }

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

/** Receives as the name says, until the last message has come. */
const LOOPS: Record<string, (socket: DatagramSocket) => Promise<string[]>> = {
  async datagrams(socket) {
    const texts: string[] = [];
    for await (const datagram of socket) {
      if (texts.push(datagram.text()) === COUNT) break;
    }
    return texts;
  },
  async batches(socket) {
    const texts: string[] = [];
    for await (const batch of socket.batches({ reuse: true })) {
      for (const datagram of batch) texts.push(datagram.text());
      if (texts.length >= COUNT) break;
    }
    return texts;
  },
  async runs(socket) {
    const texts: string[] = [];
    for await (const run of socket.runs({ reuse: true })) {
      for (const bytes of run) texts.push(new TextDecoder().decode(bytes));
      if (texts.length >= COUNT) break;
    }
    return texts;
  },
};

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
