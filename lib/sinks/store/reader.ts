import type { Addr, UnixAddr } from "../../addr.ts";
import { resolve as absolute } from "node:path";
import {
  DatabaseSync,
  type SQLOutputValue,
  type StatementSync,
} from "node:sqlite";
import { parseAddress } from "../../address/address.ts";
import { Datagram } from "../../datagram.ts";
import { failure, quote } from "../../errors.ts";
import type { Message, MessageLog } from "../../sink.ts";

/** Selects messages. */
export interface Selection {
  /** Only messages from this time on. @default {all} */
  since?: Date | undefined;
  /**
   * Only messages from these ranges of sources: the first and the last address
   * of each, 16 bytes.
   * @default {all}
   */
  sources?:
    | readonly { first: Uint8Array; last: Uint8Array }[]
    | undefined;
  /** Only the newest `count` of them. @default {all} */
  count?: number | undefined;
}

const COLUMNS = "id, time, sender, truncated, data";
// A read that stays open would let the write-ahead log grow.
const PAGE = 1000;

type Row = Record<string, SQLOutputValue>;

/** Reads a store, even while a server writes to it. It only reads the file. */
export class StoreReader implements MessageLog, Disposable {
  readonly identity: string;
  readonly #db: DatabaseSync;
  readonly #after: StatementSync;
  readonly #latest: StatementSync;

  /** @throws {Error} The file does not exist or is not a store; one line. */
  constructor(path: string) {
    try {
      // SQLite reports all reasons as the same one.
      Deno.statSync(path);
      // A path that begins with a slash is neither a URI nor ":memory:".
      this.#db = new DatabaseSync(absolute(path), { readOnly: true });
      this.#db.exec("PRAGMA busy_timeout = 1000");
      this.identity = String(this.#value("SELECT identity FROM store"));
      this.#after = this.#db.prepare(
        `SELECT ${COLUMNS} FROM messages WHERE id > ? ORDER BY id LIMIT ?`,
      );
      this.#latest = this.#db.prepare(
        `SELECT ${COLUMNS} FROM messages ORDER BY id DESC LIMIT ?`,
      );
    } catch (error) {
      throw failure(`read messages from ${quote(path)}`, error);
    }
  }

  get lastId(): number {
    return Number(this.#value("SELECT last_id FROM store"));
  }

  after(id: number, limit: number): Message[] {
    return this.#after.all(id, limit).map((row) => toMessage(row));
  }

  /** Returns the newest `limit` messages, oldest first. */
  latest(limit: number): Message[] {
    const rows = this.#latest.all(limit).reverse();
    return rows.map(toMessage);
  }

  /** Returns the number up to which messages were published; 0 for none. */
  checkpoint(destination: string): number {
    return Number(this.#value(
      "SELECT max(id) FROM handed_on WHERE destination = ?",
      destination,
    ));
  }

  /** Returns the selected messages, oldest first. */
  *select({ since, sources, count }: Selection): Generator<Message> {
    const values = [
      ...since === undefined ? [] : [since.getTime()],
      ...(sources ?? []).flatMap(({ first, last }) => [first, last]),
    ];
    const where = [
      ...since === undefined ? [] : ["time >= ?"],
      ...sources === undefined ? [] : [
        `(${sources.map(() => "source BETWEEN ? AND ?").join(" OR ") || 0})`,
      ],
    ].map((condition) => ` AND ${condition}`).join("");
    let id = count === undefined ? 0 : Number(
      this.#value(
        `SELECT min(id) FROM (SELECT id FROM messages WHERE true${where}
          ORDER BY id DESC LIMIT ?)`,
        ...values,
        count,
      ) ?? 1,
    ) - 1;
    const page = this.#db.prepare(
      `SELECT ${COLUMNS} FROM messages WHERE id > ?${where} ORDER BY id LIMIT ?`,
    );
    let left = count ?? Infinity;
    while (left > 0) {
      const rows = page.all(id, ...values, Math.min(PAGE, left));
      for (const row of rows) {
        const message = toMessage(row);
        id = message.id;
        yield message;
      }
      if (rows.length < PAGE) return;
      left -= rows.length;
    }
  }

  [Symbol.dispose](): void {
    if (this.#db.isOpen) this.#db.close();
  }

  /** Returns the only value in the only row of a query. */
  #value(
    sql: string,
    ...values: (number | string | Uint8Array)[]
  ): SQLOutputValue {
    const row = this.#db.prepare(sql).get(...values) ?? {};
    const [value] = Object.values(row);
    if (value === undefined) throw new Error("a row is missing");
    return value;
  }
}

function toMessage({ id, time, sender, truncated, data }: Row): Message {
  const from = parseSender(String(sender));
  return {
    id: Number(id),
    time: new Date(Number(time)),
    datagram: new Datagram(
      data as Uint8Array<ArrayBuffer>,
      from,
      truncated === 1,
    ),
  };
}

/** Parses a sender. An unnamed `unix:` peer has no path. */
function parseSender(sender: string): Addr {
  return sender === "unix:"
    ? { transport: "unixpacket", path: null } as unknown as UnixAddr
    : parseAddress(sender);
}
