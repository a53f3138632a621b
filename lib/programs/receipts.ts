import type { NetAddr } from "../addr.ts";
import type { Datagram } from "../datagram.ts";
import { beforeAbort } from "../promises.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { PeerLines } from "../socket/peer_lines.ts";
import type { Message, Sink } from "../sink.ts";

// How many receipts are sent at a time.
const MAX_SENDING = 1024;

/**
 * Replies to senders when their messages are on disk: `{"id":17,"size":34}`. A
 * peer that takes its receipts slowly holds up nobody: they wait in its own line,
 * and what does not fit there is counted as `notSent`.
 */
export class Receipts implements Sink {
  readonly name = "receipts";
  readonly #socket: DatagramSocket;
  readonly #onError: (error: Error) => void;
  readonly #lines: PeerLines;
  readonly #counts = { sent: 0, notSent: 0, waiting: 0 };

  constructor(socket: DatagramSocket, onError: (error: Error) => void) {
    this.#socket = socket;
    this.#onError = onError;
    this.#lines = new PeerLines(MAX_SENDING, socket.clock);
  }

  get stats(): Record<"sent" | "notSent" | "waiting", number> {
    return { ...this.#counts };
  }

  /** Sends the receipts of messages that are on disk, to each peer in order. */
  send(messages: readonly Message[]): void {
    this.#counts.waiting += messages.length;
    for (const message of messages) {
      const { from, data } = message.datagram;
      this.#lines.add({
        peer: from,
        size: data.length,
        run: async () => this.#count(await this.#send(message)),
        drop: () => this.#count(false),
      });
    }
  }

  /** Does nothing: a receipt is for what the store has stored. */
  write(): void {}

  flush(): Promise<void> {
    return this.#lines.idle();
  }

  async close(limit?: AbortSignal): Promise<void> {
    const idle = this.flush();
    await (limit === undefined ? idle : beforeAbort(idle, limit));
    this.#lines.clear();
  }

  async #send({ id, datagram }: Message): Promise<boolean> {
    const receipt = JSON.stringify({ id, size: datagram.data.length });
    try {
      // A `unix:` server cannot reply, so it has no receipts.
      return await this.#socket.answer(receipt, datagram as Datagram<NetAddr>);
    } catch (error) {
      this.#onError(error as Error);
      return false;
    }
  }

  #count(isSent: boolean): void {
    this.#counts.waiting--;
    this.#counts[isSent ? "sent" : "notSent"]++;
  }
}
