import { deepEqual, equal } from "node:assert/strict";
import type { NetAddr } from "../../addr.ts";
import { bind } from "../../open.ts";
import type { ConnectedSocket } from "../../socket/connected_socket.ts";
import type { DatagramSocket } from "../../socket/datagram_socket.ts";
import type { Abilities, Check, Socket } from "./ends.ts";
import { settle, turn } from "./waits.ts";

const SENDS = 20;
const MANY = 200;
const RUN = "run".repeat(MANY);
const LONG_MS = 60_000;

/** How a socket is closed. */
const CLOSES: Record<string, (socket: Socket) => unknown> = {
  close: (socket) => socket.close(),
  "await using": (socket) => socket[Symbol.asyncDispose](),
};

/** Operations that are pending, and how many datagrams they have sent. */
interface Work {
  readonly operations: Record<string, Promise<unknown>>;
  sends: number;
}

/** A socket that is closed while operations of every kind are pending. */
export function busy(check: Check, { answers }: Abilities): void {
  for (const [name, close] of Object.entries(CLOSES)) {
    check(`${name} ends all that a connected socket does`, async (ends) => {
      const { client, pass } = ends;
      await pass("hello");
      const { sent } = client.stats;
      const work = clientWork(client);
      work.sends += sent;
      await closeBusy(client, work, close);
    });

    check(`${name} ends all that a bound socket does`, async (ends) => {
      const { socket, client, pass, bound, carrier } = ends;
      const { from } = await pass("hello");
      const others = settle(clientWork(client).operations);
      const work = answers ? boundWork(socket, from) : receives(socket);
      await closeBusy(socket, work, close);
      await using again = bind(bound, { carrier });
      await again.opened;
      deepEqual(again.addr, bound);
      client.close();
      await others;
    });
  }
}

/** Closes a socket, and checks that everything ends and is counted, once. */
async function closeBusy(
  socket: Socket,
  work: Work,
  close: (socket: Socket) => unknown,
): Promise<void> {
  const closing = Promise.try(() => close(socket));
  await settle({ ...work.operations, closing });
  // A request ends before its own send does.
  await settle({ sends: notSending(socket) });
  await socket[Symbol.asyncDispose]();
  const { stats } = socket;
  equal(stats.sent + stats.sendFailed, work.sends);
  equal(stats.waiting, 0);
  socket.close();
  await socket[Symbol.asyncDispose]();
  deepEqual(socket.stats, stats);
}

async function notSending(socket: Socket): Promise<void> {
  while (socket.stats.sending > 0) await turn(socket);
}

function receives(socket: Socket): Work {
  const { signal } = new AbortController();
  const operations = {
    receive: socket.receive(),
    "receive with a limit": socket.receive({ timeoutMs: LONG_MS, signal }),
    tryReceive: socket.tryReceive(),
    iteration: socket[Symbol.asyncIterator]().next(),
    batches: socket.batches({ max: 2, timeoutMs: LONG_MS }).next(),
    runs: socket.runs({ reuse: true, timeoutMs: LONG_MS }).next(),
    readable: socket.readable.getReader().read(),
    "last receive": socket.receive({ signal }),
  };
  return { operations, sends: 0 };
}

function clientWork(client: ConnectedSocket): Work {
  const work = receives(client);
  work.operations["request"] = client.request("question", {
    match: () => false,
    timeoutMs: LONG_MS,
  });
  work.sends++;
  const many = client.sendMany(counted(work, () => "many"));
  work.operations["sendRun"] = client.sendRun(RUN, 3);
  work.sends += RUN.length / 3;
  addSends(work, many, () => client.send("one"));
  return work;
}

function boundWork(socket: DatagramSocket, to: NetAddr): Work {
  const work = receives(socket);
  const many = socket.sendMany(counted(work, () => ({ data: "many", to })));
  work.operations["sendRun"] = socket.sendRun(RUN, 3, to);
  work.sends += RUN.length / 3;
  addSends(work, many, () => socket.send("one", to));
  return work;
}

function addSends(
  work: Work,
  many: Promise<number>,
  send: () => Promise<void>,
): void {
  work.operations["sendMany"] = many;
  for (let n = 0; n < SENDS; n++) {
    work.operations[`send ${n}`] = send();
    work.sends++;
  }
}

/** Returns messages, and counts those that are read. */
function* counted<T>(work: Work, message: () => T): Iterable<T> {
  for (let n = 0; n < MANY; n++) {
    work.sends++;
    yield message();
  }
}
