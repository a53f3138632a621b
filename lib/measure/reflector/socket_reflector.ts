import type { NetAddr } from "../../addr.ts";
import type { ReceivedRun } from "../../run.ts";
import type { DatagramSocket } from "../../socket/datagram_socket.ts";
import { pump } from "../../socket/pump.ts";
import { reporter } from "../../warnings.ts";
import { asksForCounts, numberOf, ssidOf } from "../stamp.ts";
import { wallClock } from "../wall_clock.ts";
import { Answers } from "./answers.ts";
import { noRefusals, Ports, refusalOf } from "./refusals.ts";
import { type Session, Sessions } from "./sessions.ts";
import { SystemDrops } from "./system_drops.ts";
import type { ReflectOptions, Reflector, ReflectorStats } from "./types.ts";

/** The options that concern the reflector itself, checked. */
interface Checked
  extends Pick<ReflectOptions, "onListen" | "onError" | "signal"> {
  readonly allowPorts: readonly number[];
  readonly maxRate: number;
}

/** Reflects on a socket, which it closes at the end. */
export class SocketReflector implements Reflector {
  readonly addr: NetAddr;
  readonly finished: Promise<void>;
  readonly #socket: DatagramSocket;
  readonly #runs: AsyncIterableIterator<ReceivedRun<NetAddr>>;
  readonly #report: (error: unknown) => void;
  readonly #ports: Ports;
  readonly #sessions: Sessions;
  readonly #drops: SystemDrops;
  readonly #answers: Answers;
  readonly #now: () => number;
  readonly #refused = noRefusals();
  #received = 0;

  constructor(socket: DatagramSocket, options: Checked) {
    const { clock } = socket;
    this.addr = socket.addr;
    this.#socket = socket;
    this.#runs = socket.runs({ reuse: true });
    this.#report = reporter(options.onError);
    this.#ports = new Ports(socket.addr.port, options.allowPorts);
    this.#sessions = new Sessions(options.maxRate, clock);
    this.#drops = new SystemDrops(
      () => socket.kernelDrops(),
      clock,
      () => this.#received,
    );
    this.#now = wallClock(clock);
    this.#answers = new Answers(socket, {
      now: this.#now,
      drops: this.#drops,
      refused: this.#refused,
      begun: () => this.#sessions.begun,
      report: this.#report,
    });
    this.finished = this.#run(options);
  }

  get stats(): ReflectorStats {
    const { size, begun, expired, replaced, restarted } = this.#sessions;
    const { answered, counted, sending } = this.#answers;
    return {
      received: this.#received,
      answered,
      counted,
      answering: sending,
      refused: { ...this.#refused },
      sessions: size,
      begun,
      expired,
      replaced,
      restarted,
      dropped: this.#socket.stats.dropped,
    };
  }

  shutdown(): Promise<void> {
    this.#runs.return?.();
    return this.finished;
  }

  kernelDrops(): Promise<number | undefined> {
    return this.#socket.kernelDrops();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #run({ onListen, signal }: Checked): Promise<void> {
    const stop = () => void this.shutdown();
    await using socket = this.#socket;
    await socket.opened;
    const listening: unknown = onListen?.(this.addr);
    if (listening !== undefined) {
      Promise.try(() => listening).catch((error) => this.#report(error));
    }
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) this.#runs.return?.();
    await pump(
      this.#runs,
      socket.clock,
      (run) => this.#take(run),
      this.#report,
    );
    signal?.removeEventListener("abort", stop);
    await this.#answers.end();
  }

  /** Begins to answer a run. Waits only if too many answers are being sent. */
  #take(run: ReceivedRun<NetAddr>): Promise<void> | undefined {
    const receivedMs = this.#now();
    const { segmentSize, from, count } = run;
    this.#received += count;
    if (this.#ports.refuses(from)) this.#refused.port += count;
    else {
      // A copy: the memory of the run is used again.
      const data = new Uint8Array(run.data.length);
      const sessions: Session[] = [];
      let end = 0;
      for (let i = 0, at = 0; i < count; i++, at += segmentSize) {
        const packet = run.data.subarray(at, at + segmentSize);
        const session = this.#accept(packet, run, receivedMs);
        if (session === undefined) continue;
        data.set(packet, end);
        end += packet.length;
        sessions.push(session);
      }
      if (sessions.length > 0) {
        const questions = data.subarray(0, end);
        this.#answers.add({
          data: questions,
          segmentSize,
          sessions,
          from,
          receivedMs,
        });
      }
    }
    return this.#answers.room();
  }

  /** Returns the session of a question that is to be answered at once. */
  #accept(
    packet: Uint8Array,
    { from, truncated, count }: ReceivedRun<NetAddr>,
    receivedMs: number,
  ): Session | undefined {
    const refused = this.#refused;
    const refusal = refusalOf(packet);
    if (refusal !== undefined) {
      refused[refusal]++;
      return undefined;
    }
    const now = this.#socket.clock.now();
    const { begun } = this.#sessions;
    const number = numberOf(packet);
    const session = this.#sessions.get(from, ssidOf(packet), number, now);
    if (session === undefined) {
      refused.sessions++;
      return undefined;
    }
    const isNew = this.#sessions.begun > begun;
    if (isNew) {
      session.droppedBefore = this.#drops.before(this.#received - count);
    }
    if (!truncated && asksForCounts(packet)) {
      if (!session.allows(now)) refused.rate++;
      else if (session.isAsked) refused.busy++;
      else {
        const data = new Uint8Array(packet);
        this.#answers.count({ data, session, from, receivedMs });
      }
    } else {
      if (isNew) this.#begin(session);
      session.count(number);
      if (!truncated && session.allows(now)) return session;
      session.limited++;
      refused[truncated ? "tooLong" : "rate"]++;
    }
    return undefined;
  }

  /** Reads what the system had dropped before a session, if it is not known. */
  #begin(session: Session): void {
    if (session.droppedBefore !== undefined) return;
    this.#drops.read().then((drops) => session.droppedBefore ??= drops);
  }
}
