import { equal, ok, rejects } from "node:assert/strict";
import { errors, SocketClosedError } from "../../errors.ts";
import type { Datagram } from "../../datagram.ts";
import type { ConnectedSocket } from "../../socket/connected_socket.ts";
import type { Abilities, Check, Ends } from "./ends.ts";
import { numbers, sameMessages } from "./messages.ts";
import { arrivals } from "./sums.ts";
import { spoil } from "./values.ts";

const COUNT = 40;
const REPLIES = numbers(COUNT);
const LAST = REPLIES[COUNT - 1];

/** What a `match` has at hand besides the datagram. */
interface Scene {
  readonly client: ConnectedSocket;
  readonly datagram: Datagram;
  readonly signal: AbortSignal;
  /** Takes what an operation receives. */
  keep(receiving: Promise<Datagram | undefined>): void;
}

const ACTS: Record<string, (scene: Scene) => void> = {
  receives: ({ client, signal, keep }) => keep(client.receive({ signal })),
  tries: ({ client, keep }) => keep(client.tryReceive()),
  requests: ({ client, signal, keep }) =>
    keep(client.request("again", { signal, timeoutMs: Infinity })),
  sends: ({ client, keep }) => keep(client.send("more").then(() => undefined)),
  "changes the datagram": ({ datagram }) => {
    datagram.data.fill(0);
    spoil(datagram.from);
  },
};

/** A `match` and the messages of `sendMany` are the program's code. */
export function reentrancy(check: Check, abilities: Abilities): void {
  const { answers } = abilities;
  const unordered = { ...abilities, ordered: false };

  check(
    "receives that start in callbacks get each datagram once",
    async (ends) => {
      const { client, socket, next } = ends;
      const received: string[] = [];
      const chain = (): Promise<void> =>
        next(socket).then((datagram) => {
          if (datagram === undefined) return;
          received.push(datagram.text());
          return received.length < COUNT ? chain() : undefined;
        });
      const chained = chain();
      await Promise.all([client.sendMany(REPLIES), chained]);
      sameMessages(received, REPLIES, abilities);
    },
  );

  check(
    "messages that send while they are read arrive once each",
    async (ends) => {
      const { client, socket } = ends;
      const sending: Promise<void>[] = [];
      const messages = function* () {
        for (const [n, text] of REPLIES.entries()) {
          if (n % 2 === 0) yield text;
          else sending.push(client.send(text));
        }
      };
      const all = client.sendMany(messages());
      const received = await ends.texts(socket, COUNT);
      await Promise.all([all, ...sending]);
      sameMessages(received, REPLIES, unordered);
    },
  );

  if (!answers) return;
  for (const [act, run] of Object.entries(ACTS)) {
    check(
      `a match that ${act} loses, doubles and changes nothing`,
      async (ends) => {
        sameMessages(await requestWith(ends, run), REPLIES, unordered);
      },
    );
  }

  check("a match that throws ends its own request only", async (ends) => {
    const { socket, client, pass, texts } = ends;
    const { from } = await pass("hello");
    const thrown = new Error("thrown by match");
    const request = rejects(
      client.request("question", {
        match: () => {
          throw thrown;
        },
        timeoutMs: Infinity,
      }),
      thrown,
    );
    await socket.sendMany(REPLIES.map((data) => ({ data, to: from })));
    await request;
    sameMessages(await texts(client, COUNT), REPLIES, abilities);
  });

  check("a match that closes the socket ends every wait", async (ends) => {
    const { socket, client, pass } = ends;
    const { from } = await pass("hello");
    const match = () => {
      client.close();
      return true;
    };
    const request = client.request("question", { match, timeoutMs: Infinity })
      .catch((error) => ok(error instanceof SocketClosedError));
    const receive = rejects(() => client.receive(), SocketClosedError);
    await socket.sendMany(REPLIES.map((data) => ({ data, to: from })))
      .catch(() => {});
    await request;
    await receive;
    equal(client.stats.waiting, 0);
    ok(arrivals(client.stats) >= 1);
  });
}

/** Requests with a `match` that acts. Returns all that the client received. */
async function requestWith(
  { socket, client, pass, texts, patienceMs }: Ends,
  act: (scene: Scene) => void,
): Promise<string[]> {
  const { from } = await pass("hello");
  const received: string[] = [];
  const kept: Promise<void>[] = [];
  const over = new AbortController();
  const { signal } = over;
  const keep: Scene["keep"] = (receiving) => {
    kept.push(
      receiving.then(
        (datagram) => void (datagram && received.push(datagram.text())),
        (error) => ok(error === signal.reason),
      ),
    );
  };
  const match = (datagram: Datagram) => {
    const isLast = datagram.text() === LAST;
    act({ client, datagram, signal, keep });
    return isLast;
  };
  const request = client.request("question", { match, timeoutMs: patienceMs })
    .then(
      (reply) => void received.push(reply.text()),
      (error) => ok(error instanceof errors.TimedOut),
    );
  await socket.sendMany(REPLIES.map((data) => ({ data, to: from })));
  await request;
  over.abort();
  await Promise.all(kept);
  received.push(...await texts(client, COUNT - received.length));
  return received;
}
