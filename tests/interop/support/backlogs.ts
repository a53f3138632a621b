/** Messages that are the same each time, and backlogs of them. */
import type { Backlog, Message } from "../../../lib/sink.ts";
import { Datagram } from "../../../lib/datagram.ts";

const PEER = { transport: "udp", hostname: "127.0.0.1", port: 40_000 } as const;
const START = Date.UTC(2026, 10, 23, 9, 30);

/** The message with that number; its text is its number. */
export function message(
  id: number,
  data: Uint8Array<ArrayBuffer> = new TextEncoder().encode(`${id}`),
  truncated = false,
): Message {
  return {
    id,
    time: new Date(START + id),
    datagram: new Datagram<Deno.Addr>(data, PEER, truncated),
  };
}

/** The messages with the numbers from one to another. */
export function messages(from: number, to: number): Message[] {
  return Array.from({ length: to - from + 1 }, (_, i) => message(from + i));
}

/** The numbers that these texts are, from 1 on. */
export function numbers(to: number): string[] {
  return Array.from({ length: to }, (_, i) => `${i + 1}`);
}

/** A backlog in an array. */
export class ArrayBacklog implements Backlog {
  readonly id = crypto.randomUUID();
  readonly stored: Message[] = [];
  readonly marks = new Map<string, number>();
  /** How often it was told how far they were handed on. */
  marked = 0;

  get lastId(): number {
    return this.stored.at(-1)?.id ?? 0;
  }

  after(id: number, limit: number): Message[] {
    const first = this.stored[0]?.id ?? 1;
    const start = Math.max(0, id + 1 - first);
    return this.stored.slice(start, start + limit);
  }

  latest(limit: number): Message[] {
    return this.stored.slice(-limit);
  }

  handedOn(destination: string): number {
    return this.marks.get(destination) ?? 0;
  }

  markHandedOn(destination: string, id: number): void {
    this.marked++;
    this.marks.set(destination, id);
  }
}

/** A backlog of so many messages that remembers in a file what was handed on. */
export class FileBacklog implements Backlog {
  readonly id: string;
  readonly lastId: number;
  readonly #path: string;

  constructor(id: string, lastId: number, path: string) {
    this.id = id;
    this.lastId = lastId;
    this.#path = path;
  }

  after(id: number, limit: number): Message[] {
    return messages(id + 1, Math.min(id + limit, this.lastId));
  }

  latest(limit: number): Message[] {
    return this.after(Math.max(0, this.lastId - limit), limit);
  }

  handedOn(): number {
    try {
      return Number(Deno.readTextFileSync(this.#path));
    } catch {
      return 0;
    }
  }

  markHandedOn(_destination: string, id: number): void {
    Deno.writeTextFileSync(`${this.#path}.new`, `${id}`);
    Deno.renameSync(`${this.#path}.new`, this.#path);
  }
}
