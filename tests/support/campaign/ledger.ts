import { assert, assertEquals } from "@std/assert";
/** One end of a campaign's sockets. */
export interface End {
  readonly name: string;
  /** Whether the program has not closed it. */
  isOpen: boolean;
  /** How many messages it was given. */
  calls: number;
  /** How many datagrams the program got from it. */
  received: number;
}

interface Entry {
  readonly from: End;
  readonly to: End;
  arrived: number;
  isSent: boolean;
}

/** Every message that was given to a socket, and what became of it. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();

  /**
   * Makes a message that no other is equal to.
   *
   * @param size Its length. @default {any}
   */
  message(from: End, to: End, size?: number): string {
    const n = this.#entries.size;
    const text = `message ${n} `.padEnd(size ?? n % 17 + 10, "x");
    this.#entries.set(text, { from, to, arrived: 0, isSent: false });
    from.calls++;
    return text;
  }

  /** Notes that a send has resolved: the message arrives if nothing is closed. */
  sent(text: string): void {
    this.#entry(text).isSent = true;
  }

  /** Notes what the program received: it is whole, and arrives once, at its peer. */
  arrived(party: End, text: string): void {
    const entry = this.#entry(text);
    assert(entry.to === party, `"${text}" arrived at ${party.name}`);
    assertEquals(++entry.arrived, 1, text);
    party.received++;
  }

  /** The messages between open sockets that were sent and have not arrived. */
  get missing(): string[] {
    return [...this.#entries].filter(([_, { from, to, arrived, isSent }]) =>
      isSent && arrived === 0 && from.isOpen && to.isOpen
    ).map(([text]) => text);
  }

  #entry(text: string): Entry {
    const entry = this.#entries.get(text);
    assert(entry !== undefined, `not a message that was sent: "${text}"`);
    return entry;
  }
}
