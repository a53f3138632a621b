/** Messages that are the same in each run, and logs of them. */
import type { CheckpointedLog, Message } from "../../../lib/sink.ts";
import { Datagram } from "../../../lib/datagram.ts";

const PEER = { transport: "udp", hostname: "127.0.0.1", port: 40_000 } as const;
const START = Date.UTC(2026, 10, 23, 9, 30);

/** Returns the message with that number. Its text is the number. */
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

/** Returns the messages with the numbers from one to another. */
export function messages(from: number, to: number): Message[] {
  return Array.from({ length: to - from + 1 }, (_, i) => message(from + i));
}

/** Returns the texts of the messages from 1 on. */
export function numbers(to: number): string[] {
  return Array.from({ length: to }, (_, i) => `${i + 1}`);
}

/** A log in an array. */
export class ArrayLog implements CheckpointedLog {
  readonly identity = crypto.randomUUID();
  readonly stored: Message[] = [];
  readonly checkpoints = new Map<string, number>();
  /** How often a checkpoint was saved. */
  saved = 0;

  get lastId(): number {
    return this.stored.at(-1)?.id ?? 0;
  }

  after(id: number, limit: number): Message[] {
    const first = this.stored[0]?.id ?? 1;
    const start = Math.max(0, id + 1 - first);
    return this.stored.slice(start, start + limit);
  }

  checkpoint(destination: string): number {
    return this.checkpoints.get(destination) ?? 0;
  }

  saveCheckpoint(destination: string, id: number): void {
    this.saved++;
    this.checkpoints.set(destination, id);
  }
}

/** A log of `lastId` messages that saves its checkpoint in a file. */
export class FileLog implements CheckpointedLog {
  readonly identity: string;
  readonly lastId: number;
  readonly #path: string;

  constructor(identity: string, lastId: number, path: string) {
    this.identity = identity;
    this.lastId = lastId;
    this.#path = path;
  }

  after(id: number, limit: number): Message[] {
    return messages(id + 1, Math.min(id + limit, this.lastId));
  }

  checkpoint(): number {
    try {
      return Number(Deno.readTextFileSync(this.#path));
    } catch {
      return 0;
    }
  }

  saveCheckpoint(_destination: string, id: number): void {
    Deno.writeTextFileSync(`${this.#path}.new`, `${id}`);
    Deno.renameSync(`${this.#path}.new`, this.#path);
  }
}
