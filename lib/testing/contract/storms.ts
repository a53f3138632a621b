import { errors } from "../../errors.ts";
import type { Abilities, Check, Socket } from "./ends.ts";
import { numbers, sameMessages } from "./messages.ts";

const RECEIVES = 100;
const BURST = 10;
// The longest time limit of a receive, in milliseconds.
const MAX_MS = 5;

/** Many receives that are given up while datagrams arrive. */
export function storms(check: Check, abilities: Abilities): void {
  check(`${RECEIVES} receives that are given up lose nothing`, async (ends) => {
    const { socket, client } = ends;
    const sent = numbers(RECEIVES);
    const received: string[] = [];
    const storm = new Storm(socket, received);
    for (let i = 0; i < RECEIVES; i += BURST) {
      const sends = sent.slice(i, i + BURST).map((text) => client.send(text));
      storm.receive(BURST);
      await Promise.all(sends);
      storm.abortSome();
    }
    await storm.over();
    received.push(...await ends.texts(socket, RECEIVES - received.length));
    sameMessages(received, sent, { ...abilities, ordered: false });
  });
}

/** Receives that end by a datagram, a time limit or a signal. */
class Storm {
  readonly #socket: Socket;
  readonly #received: string[];
  readonly #controllers = new Set<AbortController>();
  readonly #receives: Promise<void>[] = [];

  constructor(socket: Socket, received: string[]) {
    this.#socket = socket;
    this.#received = received;
  }

  receive(count: number): void {
    for (let n = 0; n < count; n++) {
      const controller = new AbortController();
      const { signal } = controller;
      this.#controllers.add(controller);
      const timeoutMs = n % 3 === 0 ? Infinity : n % (MAX_MS + 1);
      const receiving = this.#socket.receive({ timeoutMs, signal });
      this.#receives.push(this.#take(receiving, signal));
    }
  }

  /** Gives up each third of the receives. */
  abortSome(): void {
    let n = 0;
    for (const controller of this.#controllers) {
      if (n++ % 3 !== 0) continue;
      controller.abort();
      this.#controllers.delete(controller);
    }
  }

  /** Gives up the others, and waits until all have ended. */
  async over(): Promise<void> {
    for (const controller of this.#controllers) controller.abort();
    await Promise.all(this.#receives);
  }

  async #take(
    receiving: Promise<{ text(): string }>,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      this.#received.push((await receiving).text());
    } catch (error) {
      if (error === signal.reason || error instanceof errors.TimedOut) return;
      throw error;
    }
  }
}
