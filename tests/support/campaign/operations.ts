import { collect } from "../../../lib/collect.ts";
import {
  ConnectedSocket,
  type Data,
  type Datagram,
  DatagramSocket,
} from "../../../mod.ts";
import type { Message, Party, Peer } from "./party.ts";
import { Thrown, turn, type World } from "./world.ts";

const MANY = 6;
const MAX_MS = 8;
// The length of messages in a run.
const RUN_SIZE = 20;

/** What the program does with one of its sockets. `n` decides how. */
type Operation = (world: World, party: Party, n: number) => void;

/** Operations by name. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  send(world, party, n) {
    const peer = peerOf(party, n);
    if (peer === undefined) return;
    const text = world.ledger.message(party, peer.party);
    const to = { ...peer.address };
    const options = n % 4 === 0 ? { timeoutMs: 1000 } : undefined;
    const sending = party.send(text, to, options);
    to.port = 9;
    world.trackSend("send", sending.then(() => world.ledger.sent(text)));
  },

  sendMany(world, party, n) {
    const peer = peerOf(party, n);
    if (peer === undefined) return;
    const texts: string[] = [];
    const messages = hostileMessages(world, party, n, texts);
    const sending = party.sendMany(
      n % 5 === 0 ? later(messages) : messages,
      n % 7 === 0 ? { signal: world.signal } : undefined,
    );
    world.trackSend(
      "sendMany",
      sending.then(() => texts.forEach((text) => world.ledger.sent(text))),
    );
  },

  sendRun(world, party, n) {
    const peer = peerOf(party, n);
    if (peer === undefined) return;
    const texts = Array.from(
      { length: 1 + n % MANY },
      () => world.ledger.message(party, peer.party, RUN_SIZE),
    );
    const to = { ...peer.address };
    const data = new TextEncoder().encode(texts.join(""));
    const options = n % 5 === 0 ? { signal: world.signal } : undefined;
    const sending = party.sendRun(data, RUN_SIZE, to, options);
    to.port = 9;
    const noted = (sent: number) =>
      texts.slice(0, sent).forEach((text) => world.ledger.sent(text));
    world.trackSend(
      "sendRun",
      sending.then((sent) => {
        noted(sent);
        data.fill(0);
      }, (error) => {
        noted(error?.sent ?? 0);
        throw error;
      }),
    );
    if (n % 7 === 0) {
      party.calls++;
      const wrong = party.sendRun(nonsense(n) as Data, n % 2, to, undefined);
      world.trackSend("sendRun of nonsense", wrong);
    }
  },

  /** Gives a socket what it must reject, and count. */
  sendNonsense(world, party, n) {
    const peer = peerOf(party, n);
    if (peer === undefined) return;
    party.calls++;
    const sending = party.send(
      nonsense(n) as Data,
      { ...peer.address },
      n % 3 === 0 ? { timeoutMs: -1 } : undefined,
    );
    world.trackSend("send of nonsense", sending);
  },

  /** Writes to the stream, whose callback misbehaves. */
  write(world, { socket, ...party }, n) {
    const peer = peerOf(party as Party, n);
    if (!(socket instanceof ConnectedSocket) || peer === undefined) return;
    if (socket.writable.locked) return;
    const self = world.parties.find((party) => party.socket === socket)!;
    socket.onSendError = () => {
      act(world, self, n);
      throw new Thrown("thrown by onSendError");
    };
    const writer = socket.writable.getWriter();
    const isNonsense = n % 3 === 0;
    if (isNonsense) self.calls++;
    const data = isNonsense
      ? nonsense(n) as Data
      : world.ledger.message(self, peer.party);
    const writing = writer.write(data).finally(() => writer.releaseLock());
    world.trackSend("write", writing);
  },

  /** Collects a few datagrams, with a sink and an answer that misbehave. */
  collect(world, party, n) {
    const { socket } = party;
    if (!(socket instanceof DatagramSocket)) return;
    const misbehave = (k: number) => {
      if (k % 3 === 0) act(world, party, k);
      if (k % 4 === 0) throw new Thrown("thrown by a sink");
    };
    const collector = collect(socket, {
      count: n % 4,
      timeoutMs: 1 + n % MAX_MS,
      sinks: [{
        name: "hostile",
        write(messages) {
          for (const { datagram } of messages) world.take(party, datagram);
          (messages as unknown[]).length = 0;
          misbehave(n + 1);
          return n % 5 === 0 ? (NaN as unknown as void) : undefined;
        },
        flush: () => (misbehave(n), Promise.resolve()),
        close: () => Promise.reject(new Thrown("thrown by close")),
        get stats() {
          return { written: NaN, lost: -1 };
        },
      }],
      answer(datagram) {
        datagram.data.fill(0);
        Reflect.set(datagram.from, "port", 9);
        if (n % 3 !== 0) return undefined;
        party.calls++;
        return nonsense(n) as Data;
      },
      onError: () => misbehave(n + 2),
    });
    world.signal.addEventListener("abort", () => void collector.stop());
    world.track("collect", collector.finished);
    world.track("stats", collector.stats());
  },

  receive(world, party, n) {
    if (!party.canReceive) return;
    const { signal } = world;
    const options = n % 2 === 0
      ? { timeoutMs: n % MAX_MS, signal }
      : { signal };
    world.track(
      "receive",
      party.socket.receive(options).then((datagram) => {
        world.take(party, datagram);
        if (n % 3 === 0) OPERATIONS["receive"]!(world, party, n + 1);
      }),
    );
  },

  tryReceive(world, party) {
    if (!party.canReceive) return;
    const receiving = party.socket.tryReceive();
    world.track("tryReceive", receiving.then((d) => world.take(party, d)));
  },

  iterate(world, party, n) {
    if (!party.canReceive) return;
    const iteration = party.socket[Symbol.asyncIterator]();
    const next = iteration.next().then(({ value }) => world.take(party, value));
    world.track("iteration", next);
    if (n % 2 === 0) world.track("end of iteration", iteration.return!());
  },

  batches(world, party, n) {
    if (!party.canReceive) return;
    const options = {
      max: 1 + n % 4,
      reuse: n % 2 === 0,
      timeoutMs: n % MAX_MS,
    };
    const batches = party.socket.batches(options);
    const next = batches.next().then(({ value, done }) => {
      if (!done) { for (const datagram of value) world.take(party, datagram); }
    });
    world.track("batch", next);
  },

  runs(world, party, n) {
    if (!party.canReceive) return;
    const { signal } = world;
    const options = {
      reuse: n % 2 === 0,
      timeoutMs: n % MAX_MS,
      ...(n % 3 === 0 && { signal }),
    };
    const runs = party.socket.runs(options);
    const step = async (left: number) => {
      const { value, done } = await runs.next();
      if (done) return;
      // It stays whole, whatever the program does meanwhile.
      act(world, party, n + left);
      if (n % 4 < 2) await turn();
      world.takeRun(party, value);
      if (left > 0) await step(left - 1);
      else if (n % 5 < 3) await runs.return!();
    };
    world.track("runs", step(n % 4));
    if (n % 11 === 0) world.track("end of runs", runs.return!());
  },

  readable(world, party, n) {
    if (!party.canReceive || party.socket.readable.locked) return;
    const reader = party.socket.readable.getReader();
    const reading = reader.read()
      .then(({ value }) => world.take(party, value))
      .finally(() => reader.releaseLock());
    world.track("readable", reading);
    if (n % 2 === 0) world.track("cancel", reader.cancel());
  },

  request(world, party, n) {
    const { socket } = party;
    const peer = peerOf(party, n);
    if (!(socket instanceof ConnectedSocket) || peer === undefined) return;
    if (!party.canReceive) return;
    // A request of a closed socket sends nothing.
    const text = party.isOpen ? world.ledger.message(party, peer.party) : "";
    const match = hostileMatch(world, party, n);
    const request = socket.request(text, {
      match,
      timeoutMs: 1 + n % MAX_MS,
      signal: world.signal,
    });
    world.track("request", request.then((d) => world.take(party, d)));
  },

  giveUp(world) {
    world.giveUp();
  },

  shutDown(world, _party, n) {
    if (n % 8 === 0) world.shutDown();
  },

  change(_world, { socket }, n) {
    Reflect.set(socket.addr, "port", n);
    if (socket instanceof ConnectedSocket) {
      Reflect.set(socket.remote, "port", n);
    }
    Reflect.set(socket.stats.dropped, "stranger", n);
  },

  close(world, party, n) {
    if (n % 4 === 0) world.close(party, n % 8 === 0);
  },
};

/** What callbacks do, besides what they are for. */
const ACTS = [
  "receive",
  "tryReceive",
  "send",
  "sendRun",
  "runs",
  "request",
  "giveUp",
  "change",
  "close",
];

export function act(world: World, party: Party, n: number): void {
  OPERATIONS[ACTS[n % ACTS.length]!]!(world, party, n * 31 % 97);
}

/** Messages that act while they are read, change after that, or end in an error. */
function* hostileMessages(
  world: World,
  party: Party,
  n: number,
  texts: string[],
): Iterable<Message> {
  const message = { data: "", to: { ...party.peers[0]!.address } };
  for (let i = 0; i < MANY; i++) {
    if (i === 2 && n % 6 === 1) throw new Thrown("thrown by messages");
    if (n % 3 === 0) act(world, party, n + i);
    if (n % 9 === 2) {
      party.calls++;
      yield {
        data: nonsense(n + i) as Data,
        to: { ...party.peers[0]!.address },
      };
    }
    const peer = peerOf(party, n + i)!;
    message.data = world.ledger.message(party, peer.party);
    texts.push(message.data);
    Object.assign(message.to, peer.address);
    yield message;
    message.to.port = 9;
  }
}

async function* later<T>(messages: Iterable<T>): AsyncIterable<T> {
  for (const message of messages) {
    await Promise.resolve();
    yield message;
  }
}

/** A `match` that acts, changes its datagram, throws or returns nonsense. */
function hostileMatch(
  world: World,
  party: Party,
  n: number,
): (datagram: Datagram) => boolean {
  let calls = n;
  return (datagram) => {
    calls++;
    if (n % 2 === 0) act(world, party, calls);
    if (calls % 5 === 0) datagram.data.fill(0);
    if (calls % 13 === 0) return Promise.resolve(true) as unknown as boolean;
    if (calls % 11 === 0) throw new Thrown("thrown by match");
    const verdicts: unknown[] = [true, false, "yes", undefined, false];
    return verdicts[calls % verdicts.length] as boolean;
  };
}

/** What no socket can send. */
function nonsense(n: number): unknown {
  const gone = new Uint8Array(4);
  gone.buffer.transfer();
  const values = [5, null, {}, gone, new DataView(new ArrayBuffer(1)), NaN];
  return values[n % values.length];
}

function peerOf({ peers }: Party, n: number): Peer | undefined {
  return peers[n % Math.max(1, peers.length)];
}
