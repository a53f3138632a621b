import { errors } from "../../errors.ts";
import { clearTimeout, setTimeout } from "../../platform.ts";
import { quickTurnIsDue, round, turned } from "../../turns.ts";

// After the system could not accept any, for example because of too many open
// files, so that an error that persists makes no busy loop. New clients wait in
// the system's queue.
const PAUSE_MS = 100;

// What accept(2) fails with if the client has left before it was accepted, or if
// the network reports an error of that connection.
const OF_ONE = [
  errors.NotConnected,
  errors.ConnectionAborted,
  errors.ConnectionReset,
  errors.ConnectionRefused,
  errors.BrokenPipe,
  errors.TimedOut,
  errors.NetworkUnreachable,
];
// Linux: ENONET, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN, EHOSTDOWN,
// EHOSTUNREACH, which Deno has no class for.
const NUMBERS = /\(os error (?:64|71|92|95|100|112|113)\)/;

/** What an {@linkcode Acceptor} accepts from. */
export type Listener = Deno.Listener<Deno.Conn<Deno.NetAddr>, Deno.NetAddr>;

/** What an {@linkcode Acceptor} calls. */
export interface AcceptorCalls {
  /** Called with each connection. */
  accepted(conn: Deno.Conn<Deno.NetAddr>): void;
  /** Called when a client had left before its connection was accepted. */
  reset(): void;
  /** Called when the system could not accept any. */
  failed(): void;
}

/** Accepts connections until it is closed. */
export class Acceptor {
  /** Resolves when it accepts no more. */
  readonly done: Promise<void>;
  readonly #listener: Listener;
  #isClosed = false;
  #endPause: () => void = () => {};

  constructor(listener: Listener, calls: AcceptorCalls) {
    this.#listener = listener;
    this.done = this.#run(calls);
  }

  /** Closes the listener. */
  close(): void {
    this.#isClosed = true;
    this.#listener.close();
    this.#endPause();
  }

  async #run({ accepted, reset, failed }: AcceptorCalls): Promise<void> {
    while (!this.#isClosed) {
      try {
        accepted(await this.#listener.accept());
        if (quickTurnIsDue()) await turned();
      } catch (error) {
        if (this.#isClosed) return;
        if (isOfOneConnection(error)) {
          reset();
          await round();
        } else {
          failed();
          await this.#pause();
        }
      }
    }
  }

  async #pause(): Promise<void> {
    let timer;
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PAUSE_MS);
      this.#endPause = resolve;
    });
    clearTimeout(timer);
  }
}

/**
 * Whether an error of `accept` concerns only the connection that would have been
 * accepted. The next one can be accepted at once.
 */
export function isOfOneConnection(error: unknown): boolean {
  return OF_ONE.some((known) => error instanceof known) ||
    (error instanceof Error && NUMBERS.test(error.message));
}
