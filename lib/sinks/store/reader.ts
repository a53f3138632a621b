import type { Addr, UnixAddr } from "../../addr.ts";
import { resolve as absolute } from "node:path";
import {
  backup,
  DatabaseSync,
  type SQLOutputValue,
  type StatementSync,
} from "node:sqlite";
import { parseAddress } from "../../address/address.ts";
import { Datagram } from "../../datagram.ts";
import { errors, failure, quote } from "../../errors.ts";
import type { Message, MessageLog } from "../../sink.ts";
import { APPLICATION_ID, SCHEMA_VERSION } from "./schema.js";
import { reasonOf } from "./reasons.js";

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

// Whatever another program has put there: no row must stop a reader.
const COLUMNS = `id, CAST(time AS REAL) AS at, CAST(sender AS BLOB) AS sender,
  truncated = 1 AS truncated, CAST(data AS BLOB) AS data`;
const LATEST_TIME = 8.64e15;
// A read that stays open would let the write-ahead log grow.
const PAGE = 1000;

// SQLite needs a file beside a store whose log is not folded into it.
const CANNOT_WRITE = [8, 14];

const EMPTY = "it is empty; a copy of a store that is open needs --backup";

type Value = number | string | Uint8Array;
type Row = Record<string, SQLOutputValue>;

/** Reads a store, even while a server writes to it. It only reads the file. */
export class StoreReader implements MessageLog, Disposable {
  readonly identity: string;
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #after: StatementSync;
  readonly #latest: StatementSync;

  /** @throws {Error} The file does not exist or is not a store; one line. */
  constructor(path: string) {
    this.#path = path;
    try {
      requireFile(path);
      // A path that begins with a slash is neither a URI nor ":memory:".
      this.#db = new DatabaseSync(absolute(path), { readOnly: true });
    } catch (error) {
      throw this.#failure(error);
    }
    try {
      this.#db.exec("PRAGMA busy_timeout = 1000");
      this.#check();
      this.identity = String(this.#value("SELECT identity FROM store"));
      this.#after = this.#db.prepare(
        `SELECT ${COLUMNS} FROM messages WHERE id > ? ORDER BY id LIMIT ?`,
      );
      this.#latest = this.#db.prepare(
        `SELECT ${COLUMNS} FROM messages ORDER BY id DESC LIMIT ?`,
      );
    } catch (error) {
      this.#db.close();
      throw this.#failure(error);
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
      const rows = this.#all(page, id, ...values, Math.min(PAGE, left));
      for (const row of rows) {
        const message = toMessage(row);
        id = message.id;
        yield message;
      }
      if (rows.length < PAGE) return;
      left -= rows.length;
    }
  }

  /**
   * Copies the store into a new file, as it is now, while a server may write to
   * it.
   *
   * @throws {Error} There is such a file, or it cannot be written; one line.
   */
  async backUp(copy: string): Promise<void> {
    try {
      using _ = Deno.openSync(copy, { write: true, createNew: true });
    } catch (error) {
      throw failure(`write the backup ${quote(copy)}`, error);
    }
    try {
      // In one step: it begins again whenever the server writes in between.
      await backup(this.#db, absolute(copy), { rate: 2 ** 31 - 1 });
      using db = new DatabaseSync(absolute(copy));
      // Who may only read it can open it then.
      db.exec("PRAGMA journal_mode = DELETE");
      if (Number(valueOf(db, "PRAGMA user_version")) > 1) {
        // The log of the store must not be taken for the copy's.
        db.prepare("UPDATE store SET opening = ?").run(crypto.randomUUID());
      }
    } catch (error) {
      Deno.removeSync(copy);
      const why = new Error(reasonOf(error), { cause: error });
      throw failure(`write the backup ${quote(copy)}`, why);
    }
  }

  [Symbol.dispose](): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #check(): void {
    if (Number(this.#value("PRAGMA application_id")) !== APPLICATION_ID) {
      const tables = this.#value("SELECT count(*) FROM sqlite_schema");
      throw new Error(
        tables === 0 ? EMPTY : "it is a database of another program",
      );
    }
    const version = Number(this.#value("PRAGMA user_version"));
    if (version <= SCHEMA_VERSION) return;
    throw new Error(
      `its schema has version ${version}; this program knows ${SCHEMA_VERSION}`,
    );
  }

  #all(statement: StatementSync, ...values: Value[]): Row[] {
    try {
      return statement.all(...values);
    } catch (error) {
      throw this.#failure(error);
    }
  }

  #value(sql: string, ...values: Value[]): SQLOutputValue {
    return valueOf(this.#db, sql, ...values);
  }

  #failure(cause: unknown): Error {
    const action = `read messages from ${quote(this.#path)}`;
    if (cause instanceof errors.NotFound) return failure(action, cause);
    const { errcode = 0 } = cause as { errcode?: number };
    const why = CANNOT_WRITE.includes(errcode & 255)
      ? "the server that wrote it last was killed, or is an earlier version; " +
        "read it as a user who may write to its folder"
      : reasonOf(cause);
    return failure(action, new Error(why, { cause }));
  }
}

/** Makes sure that there is a file: SQLite reports all reasons as the same one. */
function requireFile(path: string): void {
  const { isFile, isDirectory, size } = Deno.statSync(path);
  if (!isFile) {
    throw new Error(isDirectory ? "it is a folder" : "it is not a file");
  }
  // SQLite would delete the log of a store that was moved away from there.
  if (size === 0) throw new Error(EMPTY);
}

/** Returns the only value in the only row of a query. */
function valueOf(
  db: DatabaseSync,
  sql: string,
  ...values: Value[]
): SQLOutputValue {
  const row = db.prepare(sql).get(...values) ?? {};
  const [value] = Object.values(row);
  if (value === undefined) throw new Error("a row is missing");
  return value;
}

function toMessage({ id, at, sender, truncated, data }: Row): Message {
  const from = parseSender(new TextDecoder().decode(bytesOf(sender)));
  const time = Number(at);
  return {
    id: Number(id),
    time: new Date(Math.abs(time) <= LATEST_TIME ? time : 0),
    datagram: new Datagram(bytesOf(data), from, truncated === 1),
  };
}

function bytesOf(value: SQLOutputValue | undefined): Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array
    ? value as Uint8Array<ArrayBuffer>
    : new Uint8Array();
}

/** Parses a sender. One that is no address is one without a name. */
function parseSender(sender: string): Addr {
  try {
    return parseAddress(sender);
  } catch {
    const path = sender.startsWith("unix:") && sender.slice("unix:".length);
    const transport = "unixpacket";
    return { transport, path: path || null } as unknown as UnixAddr;
  }
}
