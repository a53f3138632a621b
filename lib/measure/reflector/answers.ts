import type { NetAddr } from "../../addr.ts";
import type { DatagramSocket } from "../../socket/datagram_socket.ts";
import { PeerLines, settles } from "../../socket/peer_lines.ts";
import { stampTime, writeAnswer } from "../stamp.ts";
import type { Refusals } from "./refusals.ts";
import type { Session } from "./sessions.ts";
import type { SystemDrops } from "./system_drops.ts";

// How many runs are answered at a time.
const MAX_ANSWERS = 1024;
// How long the end waits for answers.
const END_MS = 5000;

/** Questions of one run that are to be answered. */
export interface Questions {
  /** Their bytes, one after another, which become the answers. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The length of each; the last one may be shorter. */
  readonly segmentSize: number;
  /** The session of each. */
  readonly sessions: readonly Session[];
  /** Who asks. */
  readonly from: NetAddr;
  /** When they were received. */
  readonly receivedMs: number;
}

/** A question for the counts of its session. */
export type CountsQuestion =
  & Pick<Questions, "data" | "from" | "receivedMs">
  & { readonly session: Session };

/** What the answers need. */
export interface AnswersOptions {
  /** Reads the time. */
  readonly now: () => number;
  /** What the system dropped. */
  readonly drops: SystemDrops;
  /** Counts what is not answered. */
  readonly refused: Refusals;
  /** Returns how many sessions have begun. */
  readonly begun: () => number;
  /** Called with the error of a send. Must not throw. */
  readonly report: (error: unknown) => void;
}

/** Sends the answers. A peer that takes them slowly holds up no other. */
export class Answers {
  /** Questions that were answered. */
  answered = 0;
  /** Questions for counts that were answered. */
  counted = 0;
  /** Questions whose answers are being sent. */
  sending = 0;
  readonly #socket: DatagramSocket;
  readonly #options: AnswersOptions;
  readonly #lines: PeerLines;
  readonly #counting = new Set<Promise<void>>();

  constructor(socket: DatagramSocket, options: AnswersOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#lines = new PeerLines(MAX_ANSWERS, socket.clock);
  }

  /** Returns what to await before the next ones, if too many are being sent. */
  room(): Promise<void> | undefined {
    return this.#lines.room();
  }

  /** Begins to answer questions. */
  add({ data, segmentSize, sessions, from, receivedMs }: Questions): void {
    this.#send(data, segmentSize, from, sessions.length, () => {
      const packets = sessions.map((session, i) => {
        const at = i * segmentSize;
        const packet = data.subarray(at, at + segmentSize);
        writeAnswer(packet, { number: session.number(), receivedMs });
        return packet;
      });
      // They leave together.
      const timeMs = this.#options.now();
      for (const packet of packets) stampTime(packet, timeMs);
      return (sent) => {
        this.answered += sent;
        for (let i = 0; i < sent; i++) sessions[i]!.answered++;
      };
    });
  }

  /** Begins to answer a question for counts, when the system's are read. */
  count(question: CountsQuestion): void {
    const counting = this.#count(question);
    this.#counting.add(counting);
    counting.then(() => this.#counting.delete(counting));
  }

  async #count({ data, session, from, receivedMs }: CountsQuestion) {
    const { drops, now, begun } = this.#options;
    session.isAsked = true;
    this.sending++;
    const dropped = await drops.read();
    session.droppedBefore ??= dropped;
    session.isAsked = false;
    this.sending--;
    this.#send(data, data.length, from, 1, () => {
      const counts = session.counts(dropped, begun());
      const number = session.next;
      writeAnswer(data, { number, receivedMs, timeMs: now(), counts });
      return (sent) => this.counted += sent;
    });
  }

  /**
   * Sends datagrams of a peer when it is their turn.
   *
   * @param write Called last, since it writes the time. Returns what to call with
   * the number of those that were sent.
   */
  #send(
    data: Uint8Array<ArrayBuffer>,
    segmentSize: number,
    peer: NetAddr,
    count: number,
    write: () => (sent: number) => void,
  ): void {
    const { refused } = this.#options;
    this.sending += count;
    this.#lines.add({
      peer,
      size: data.length,
      drop: () => {
        this.sending -= count;
        refused.busy += count;
      },
      run: async () => {
        const done = write();
        const sent = await this.#sendNow(data, segmentSize, peer, count);
        refused.notSent += count - sent;
        this.sending -= count;
        done(sent);
      },
    });
  }

  /** @returns How many were sent. */
  async #sendNow(
    data: Uint8Array<ArrayBuffer>,
    segmentSize: number,
    peer: NetAddr,
    count: number,
  ): Promise<number> {
    try {
      if (count === 1) await this.#socket.send(data, peer);
      else await this.#socket.sendRun(data, segmentSize, peer);
      return count;
    } catch (error) {
      this.#options.report(error);
      return (error as { sent?: number }).sent ?? 0;
    }
  }

  /** Waits for the answers. A peer that takes none is not waited for. */
  async end(): Promise<void> {
    const { clock } = this.#socket;
    const read = this.#options.drops.close();
    const idle = Promise.all([read, ...this.#counting])
      .then(() => this.#lines.idle());
    if (await settles(idle, END_MS, clock)) return;
    this.#lines.clear();
    this.#socket.close();
  }
}
