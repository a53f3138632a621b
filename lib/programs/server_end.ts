import type { Collector } from "../collect.ts";
import { END_MS } from "../collect/collector.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import type { Received } from "../socket/stats.ts";
import { exit, onInterrupt, say } from "./program.ts";
import { receiveUnread } from "./unread.ts";

// What a user who waits for the end should know.
const ENDING =
  "ending: replies and sinks have some seconds (see --end-timeout);" +
  " a second signal ends at once";
const ENDING_MS = 300;
// A second signal ends the program within this time, whatever hangs.
const AT_ONCE_MS = 1500;
// How long a connection is written at the end.
const LAST_MS = 500;

/** How the server ends: one limit for all that it waits for, from the first signal. */
export class ServerEnd implements Disposable {
  readonly #timeoutMs: number;
  readonly #interrupts: Disposable;
  readonly #interruption = new AbortController();
  #collector: Collector | undefined;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #endsAt: number | undefined;
  #code: number | undefined;
  #endAtOnce = () => {};

  constructor({ endTimeoutMs = END_MS, quiet }: {
    readonly endTimeoutMs?: number | undefined;
    readonly quiet: boolean;
  }) {
    this.#timeoutMs = endTimeoutMs;
    this.#interrupts = onInterrupt(() => {
      this.#interruption.abort();
      if (this.#collector === undefined) return;
      this.#collector.stop({ drain: true });
      this.#endsAt = performance.now() + endTimeoutMs;
      if (!quiet) this.#telling = setTimeout(() => say(ENDING), ENDING_MS);
    }, (code) => {
      this.#code = code;
      this.#collector?.stop({ timeoutMs: 0 });
      this.#endAtOnce();
      setTimeout(() => void exit(code), AT_ONCE_MS);
    });
  }

  /** Aborts with the first signal, also if the server is still opening. */
  get signal(): AbortSignal {
    return this.#interruption.signal;
  }

  /** The exit code, if a second signal ended the server at once. */
  get code(): number | undefined {
    return this.#code;
  }

  /** Names what a signal stops. */
  stops(collector: Collector): void {
    this.#collector = collector;
  }

  /**
   * Closes the socket of a collector that has finished, so that the totals hold
   * what was lost at the end. Peers have the time that is left of the limit to
   * take what waits for them.
   *
   * @returns What had arrived and reaches no sink any more.
   */
  async close(socket: DatagramSocket): Promise<Received> {
    const unread = await receiveUnread(socket);
    this.#endAtOnce = () => socket.close();
    const now = performance.now();
    const left = (this.#endsAt ?? now + this.#timeoutMs) - now;
    await closeBy(
      socket,
      this.#code === undefined ? Math.max(LAST_MS, left) : 0,
    );
    clearTimeout(this.#telling);
    return unread;
  }

  [Symbol.dispose](): void {
    this.#interrupts[Symbol.dispose]();
    clearTimeout(this.#telling);
  }
}

/** Closes the socket, which has that many milliseconds to write what waits. */
async function closeBy(socket: DatagramSocket, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timers = [
    setTimeout(() => socket.close(), ms),
    setTimeout(resolve, ms + LAST_MS),
  ];
  // Its error, if any, is that of the end of the program.
  socket[Symbol.asyncDispose]().then(resolve, resolve);
  await promise;
  timers.forEach(clearTimeout);
}
