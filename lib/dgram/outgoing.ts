import type { NetAddr } from "../addr.ts";
import type { Carrier } from "../carrier.ts";
import { quickTurnIsDue, turned } from "../turns.ts";
import { codeOf, systemFailure } from "./failures.ts";
import { callSafely } from "./soon.ts";
import type { Sent } from "./types.ts";

const MAX_IPV4 = 65_507;
const MAX_IPV6 = 65_527;

/** A datagram to send. */
interface Letter {
  readonly data: Uint8Array;
  readonly to: NetAddr;
  /** The host as the program named it, for errors. */
  readonly host: string;
  /** Gets the outcome. Without it an error is nobody's, as in Node. */
  readonly sent: Sent | undefined;
  /** The one after it. */
  next?: Letter;
}

/**
 * Sends the datagrams of one socket, in order: a carrier may reorder what is given
 * to it at one time, as Deno's own sockets do.
 */
export class Outgoing {
  /** How many are being sent. */
  count = 0;
  /** How many bytes they have. */
  bytes = 0;
  #last: Letter | undefined;

  /** Sends a datagram after those before it. */
  send(carrier: Carrier, letter: Letter): void {
    this.count++;
    this.bytes += letter.data.length;
    const last = this.#last;
    this.#last = letter;
    if (last === undefined) this.#sendFrom(carrier, letter);
    else last.next = letter;
  }

  async #sendFrom(carrier: Carrier, first: Letter): Promise<void> {
    const isVirtual = carrier.clock?.isVirtual === true;
    for (let letter: Letter | undefined = first; letter !== undefined;) {
      const { data, to, sent } = letter;
      let error: Error | undefined;
      try {
        requireSendable(carrier, letter);
        await carrier.send(data, to);
      } catch (cause) {
        error = failureOf(letter, cause);
      }
      this.count--;
      this.bytes -= data.length;
      if (sent !== undefined) settle(sent, error, data.length);
      if (!isVirtual && quickTurnIsDue()) await turned();
      if (letter === this.#last) this.#last = undefined;
      letter = letter.next;
    }
  }
}

/** @throws {RangeError} It is longer than one datagram can be. */
function requireSendable(carrier: Carrier, { data, to }: Letter): void {
  const max = carrier.maxSize?.(to) ??
    (to.hostname.includes(":") ? MAX_IPV6 : MAX_IPV4);
  if (data.length <= max) return;
  throw Object.assign(new RangeError(), { code: "EMSGSIZE" });
}

function failureOf({ to: { port }, host }: Letter, cause: unknown): Error {
  const details = { address: host, port, cause };
  return systemFailure("send", codeOf(cause), details);
}

function settle(sent: Sent, error: Error | undefined, length: number): void {
  callSafely(() => error === undefined ? sent(null, length) : sent(error, 0));
}
