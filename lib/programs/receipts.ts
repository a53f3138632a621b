import type { NetAddr } from "../addr.ts";
import type { Datagram } from "../datagram.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import type { Message, Sink } from "../sink.ts";

// Receipts that may wait until the collector has to.
const MAX_WAITING = 10_000;

/** Replies to senders when their messages are on disk: `{"id":17,"size":34}`. */
export class Receipts implements Sink {
  readonly name = "receipts";
  readonly #socket: DatagramSocket;
  readonly #onError: (error: Error) => void;
  #waiting = 0;
  #sent = 0;
  #sending: Promise<void> = Promise.resolve();

  constructor(socket: DatagramSocket, onError: (error: Error) => void) {
    this.#socket = socket;
    this.#onError = onError;
  }

  get stats(): { sent: number; waiting: number } {
    return { sent: this.#sent, waiting: this.#waiting };
  }

  /** Sends the receipts of messages that are on disk, in order. */
  send(messages: readonly Message[]): void {
    this.#waiting += messages.length;
    this.#sending = this.#sending.then(async () => {
      for (const message of messages) await this.#send(message);
    });
  }

  /** Only makes the collector wait when too many receipts do. */
  write(): Promise<void> | undefined {
    return this.#waiting > MAX_WAITING ? this.#sending : undefined;
  }

  flush(): Promise<void> {
    return this.#sending;
  }

  close(): Promise<void> {
    return this.flush();
  }

  async #send({ id, datagram }: Message): Promise<void> {
    const receipt = JSON.stringify({ id, size: datagram.data.length });
    try {
      // A `unix:` server cannot reply, so it has no receipts.
      const question = datagram as Datagram<NetAddr>;
      if (await this.#socket.answer(receipt, question)) this.#sent++;
    } catch (error) {
      this.#onError(error as Error);
    }
    this.#waiting--;
  }
}
