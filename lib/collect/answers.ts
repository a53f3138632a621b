import { type Addr, copyAddr } from "../addr.ts";
import { copyDatagram, Datagram } from "../datagram.ts";
import { ignoreRejection, isThenable } from "../promises.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { type Data, encode } from "../socket/messages.ts";
import { PeerLines } from "../socket/peer_lines.ts";
import type { CollectOptions } from "./collector.ts";

// How many answers are sent at a time.
const MAX_ANSWERS = 1024;

/** Sends the answers to datagrams. A peer that takes them slowly holds up no other. */
export class Answers<A extends Addr> {
  readonly #socket: DatagramSocket<A>;
  readonly #answer: CollectOptions<A>["answer"];
  readonly #report: (error: unknown) => void;
  readonly #lines: PeerLines;
  #withheld = 0;

  /**
   * @param answer What the answer to a datagram is, if there are answers.
   * @param report Must not throw.
   */
  constructor(
    socket: DatagramSocket<A>,
    answer: CollectOptions<A>["answer"],
    report: (error: unknown) => void,
  ) {
    this.#socket = socket;
    this.#answer = answer;
    this.#report = report;
    this.#lines = new PeerLines(MAX_ANSWERS, socket.clock);
  }

  /** How many were withheld since their peers took too few, if there are answers. */
  get withheld(): { readonly busy?: number } {
    return this.#answer === undefined ? {} : { busy: this.#withheld };
  }

  /**
   * Begins to send the answer to a datagram.
   *
   * @returns What to await before the next one, if too many are being sent.
   * @throws What the answer function throws, and errors of its result.
   */
  add(datagram: Datagram<A>): Promise<void> | undefined {
    if (this.#answer === undefined) return undefined;
    // A copy: the sinks get the datagram as it arrived, and may change it too.
    const { data: bytes, from, truncated } = datagram;
    const received = new Datagram(bytes, copyAddr(from), truncated, datagram);
    const reply: unknown = this.#answer(copyDatagram(datagram));
    if (reply === undefined) return undefined;
    if (isThenable(reply)) ignoreRejection(reply);
    const data = encode(reply as Data);
    this.#lines.add({
      peer: received.from,
      size: data instanceof Uint8Array ? data.length : 0,
      run: () => this.#send(data, received),
      drop: () => void this.#withheld++,
    });
    return this.#lines.room();
  }

  /** Resolves when all are sent. */
  idle(): Promise<void> {
    return this.#lines.idle();
  }

  /** Withholds those that wait. */
  clear(): void {
    this.#lines.clear();
  }

  async #send(data: Data, datagram: Datagram<A>): Promise<void> {
    try {
      await this.#socket.answer(data, datagram);
    } catch (error) {
      this.#report(error);
    }
  }
}
