// @ts-check
// One open database of messages.
import { backup, DatabaseSync } from "node:sqlite";

/** @typedef {import("node:sqlite").StatementSync} StatementSync */

/**
 * @typedef {object} Batch Columns, with one entry per message.
 * @property {Float64Array} ids
 * @property {Float64Array} times Milliseconds since 1970.
 * @property {Uint32Array} senders The index of each sender in `names`.
 * @property {string[]} names
 * @property {Uint8Array} sources 16 bytes each.
 * @property {Uint8Array} truncated
 * @property {Uint32Array} ends The end of the data of each message.
 * @property {Uint8Array} data
 *
 * @typedef {object} Start What a new file begins with.
 * @property {string} identity
 * @property {number} lastId The number before its first message.
 * @property {Map<string, number>} checkpoints
 * @property {[firstId: number, epoch: string][]} epochs Of the messages in it.
 */

/** By it SQLite's files of this program are known. */
export const APPLICATION_ID = 0x506c_6931;
/** The version of the tables. */
export const SCHEMA_VERSION = 2;
const EPOCHS = `
  -- Which epoch the messages from a number on belong to.
  CREATE TABLE epochs (first_id INTEGER PRIMARY KEY, epoch TEXT NOT NULL);
`;
const SCHEMA = `
  CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,      -- milliseconds since 1970
    sender TEXT NOT NULL,       -- as an address
    source BLOB,                -- its IP address, 16 bytes, so that a network is a range
    truncated INTEGER NOT NULL,
    data BLOB NOT NULL
  );
  CREATE INDEX messages_by_time ON messages (time);
  CREATE INDEX messages_by_source ON messages (source, id);
  -- Each opening has a name of its own, by which the log of another file is known.
  CREATE TABLE store (identity TEXT NOT NULL, last_id INTEGER NOT NULL, opening TEXT);
  -- How far messages were published, per destination.
  CREATE TABLE handed_on (destination TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
  ${EPOCHS}
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
const UPGRADE = `
  BEGIN IMMEDIATE;
  ALTER TABLE store ADD COLUMN opening TEXT;
  ${EPOCHS}
  INSERT INTO epochs SELECT 1, identity FROM store;
  PRAGMA user_version = ${SCHEMA_VERSION};
  COMMIT;
`;
// Those of which no message is left.
const FORGET_EPOCHS = `
  DELETE FROM epochs WHERE first_id < (
    SELECT max(first_id) FROM epochs WHERE first_id <= (
      SELECT coalesce(min(id), last_id) FROM store LEFT JOIN messages))`;
const ROW = "INTO messages VALUES (?, ?, ?, ?, ?, ?)";
// How long a statement waits for another process's lock.
const BUSY_MS = 200;
// Old rows are deleted in small steps, between batches.
const MAX_PRUNED = 5000;
const LOG_LIMIT = 64 * 1024 * 1024;

/** A database that is open for writing. */
export class Database {
  /** @type {DatabaseSync} */
  #db;
  #statements;
  #keepRows;
  /** @type {string} */
  identity;
  /** The number of the newest message that was ever stored. */
  lastId;
  /** That of the next messages, until it is saved. @type {string | undefined} */
  #epoch;
  /** How many messages it has deleted since it was opened. */
  deleted = 0;
  // The number before the oldest message.
  #lastMissing = 0;

  /**
   * Opens a database, or creates one in a file that is empty.
   *
   * @param {string} path
   * @param {{ isDurable: boolean, keepRows: number, epoch: string }} settings
   * @param {Start} start
   */
  constructor(path, { isDurable, keepRows, epoch }, start) {
    this.#db = new DatabaseSync(path);
    this.#keepRows = keepRows;
    this.#epoch = epoch;
    try {
      this.#db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
      if (isBlank(this.#db)) this.#create(start);
      check(this.#db);
      this.#prepare(isDurable);
      ({ identity: this.identity, lastId: this.lastId } = stateOf(this.#db));
      this.#statements = statementsOf(this.#db);
      this.#findFirst();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** What another file would begin with that continues this one. */
  get state() {
    return stateOf(this.#db);
  }

  /**
   * An upper limit of the number of messages in it. It is known even when the
   * file cannot be read any more.
   */
  get size() {
    return this.lastId - this.#lastMissing;
  }

  /**
   * @param {Batch} batch
   * @param {boolean} isAgain Whether the file may hold some of it.
   */
  store(batch, isAgain = false) {
    const { insert, insertAgain, last, pruneRows } = this.#statements;
    const lastId = Math.max(this.lastId, batch.ids.at(-1) ?? 0);
    let pruned = 0;
    this.#transaction(() => {
      this.#saveEpoch(batch);
      insertAll(batch, isAgain ? insertAgain : insert);
      last.run(lastId);
      if (this.#keepRows === Infinity) return;
      pruned = Number(pruneRows.run(lastId - this.#keepRows).changes);
    });
    this.deleted += pruned;
    this.lastId = lastId;
    this.#epoch = undefined;
    if (isAgain || this.#keepRows !== Infinity) this.#findFirst();
  }

  /**
   * @param {string} destination
   * @param {number} id
   */
  saveCheckpoint(destination, id) {
    this.#transaction(() => this.#statements.checkpoint.run(destination, id));
  }

  /**
   * Begins an epoch.
   *
   * @param {number} firstId
   * @param {string} epoch
   */
  saveEpoch(firstId, epoch) {
    this.#transaction(() => this.#statements.epoch.run(firstId, epoch));
  }

  /** In the transaction of its first message. @param {Batch} batch */
  #saveEpoch({ ids: [first] }) {
    if (this.#epoch === undefined || first === undefined) return;
    this.#statements.epoch.run(first, this.#epoch);
  }

  /**
   * Deletes messages that are too many or too old.
   *
   * @param {number} before The time from which on they are not too old.
   * @returns Whether there may be more of them.
   */
  prune(before) {
    const { pruneRows, pruneTime } = this.#statements;
    const counts = [
      this.#keepRows === Infinity
        ? 0
        : Number(pruneRows.run(this.lastId - this.#keepRows).changes),
      before === -Infinity ? 0 : Number(pruneTime.run(before).changes),
    ];
    for (const count of counts) this.deleted += count;
    this.#findFirst();
    return counts.includes(MAX_PRUNED);
  }

  /** The time of the newest message, in milliseconds; `undefined` if there is none. */
  get latest() {
    const { time } = this.#statements.latest.get() ?? {};
    return time === undefined ? undefined : Number(time);
  }

  /** Writes the log into the file, as far as readers permit. */
  checkpoint() {
    this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)");
  }

  /** Writes all of the log into the file. @throws A reader prevents it. */
  foldLog() {
    const { busy } =
      this.#db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() ??
        {};
    if (busy !== 0) throw new Error("another process reads it for long");
  }

  /** Copies it into a file that is empty or not there. @param {string} path */
  async saveTo(path) {
    // In one step: it begins again whenever another process writes in between.
    await backup(this.#db, path, { rate: 2 ** 31 - 1 });
  }

  close() {
    try {
      // Who may only read it can open it then.
      this.#db.exec("PRAGMA journal_mode = DELETE");
    } catch {
      // Somebody reads it, or it is no longer at its path.
    }
    this.#db.close();
  }

  #findFirst() {
    const { id } = this.#statements.first.get() ?? {};
    this.#lastMissing = id === undefined ? this.lastId : Number(id) - 1;
  }

  /** @param {Start} start */
  #create({ identity, lastId, checkpoints }) {
    // It can be read while it is filled only if it is in WAL mode from the start.
    this.#db.exec("PRAGMA journal_mode = WAL");
    this.#db.exec(`BEGIN IMMEDIATE; ${SCHEMA}`);
    this.#db.prepare("INSERT INTO store VALUES (?, ?, NULL)")
      .run(identity, lastId);
    for (const row of checkpoints) {
      this.#db.prepare("INSERT INTO handed_on VALUES (?, ?)").run(...row);
    }
    this.#db.exec("COMMIT");
  }

  /** @param {boolean} isDurable */
  #prepare(isDurable) {
    // Checkpoints are made where the file was compared with its path before.
    this.#db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA wal_autocheckpoint = 0;
      PRAGMA synchronous = ${isDurable ? "FULL" : "NORMAL"};
      PRAGMA journal_size_limit = ${LOG_LIMIT};
    `);
    if (valueOf(this.#db, "PRAGMA user_version") === 1) this.#db.exec(UPGRADE);
    this.#db.prepare("UPDATE store SET opening = ?").run(crypto.randomUUID());
    this.#db.exec(FORGET_EPOCHS);
    this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** @param {() => void} body */
  #transaction(body) {
    this.#statements.begin.run();
    try {
      body();
      this.#statements.commit.run();
    } catch (error) {
      // A full disk has rolled it back already.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

/**
 * Reads the state of a store that cannot be opened for writing now. Alone, it
 * needs no file beside it, for which a full disk has no room.
 *
 * @param {string} path
 * @returns {Start | undefined} `undefined` if it was not created completely.
 */
export function stateWithoutWriting(path) {
  try {
    return stateIn(new DatabaseSync(path, { readOnly: true }));
  } catch {
    const db = new DatabaseSync(path);
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    return stateIn(db);
  }
}

/** @param {DatabaseSync} db */
function stateIn(db) {
  try {
    if (isBlank(db)) return undefined;
    check(db);
    return stateOf(db);
  } finally {
    db.close();
  }
}

/** @param {DatabaseSync} db */
function isBlank(db) {
  return valueOf(db, "PRAGMA user_version") === 0 &&
    valueOf(db, "SELECT count(*) FROM sqlite_schema") === 0;
}

/**
 * @param {DatabaseSync} db
 * @returns {Start}
 */
function stateOf(db) {
  const identity = String(valueOf(db, "SELECT identity FROM store"));
  const checkpoints = db.prepare("SELECT destination, id FROM handed_on").all();
  const epochs = valueOf(db, "PRAGMA user_version") === 1
    ? [{ first_id: 1, epoch: identity }]
    : db.prepare("SELECT first_id, epoch FROM epochs ORDER BY first_id").all();
  return {
    identity,
    lastId: Number(valueOf(db, "SELECT last_id FROM store")),
    checkpoints: new Map(
      checkpoints.map(({ destination, id }) => [
        String(destination),
        Number(id),
      ]),
    ),
    epochs: epochs.map(({ first_id, epoch }) => [
      Number(first_id),
      String(epoch),
    ]),
  };
}

/** @param {DatabaseSync} db */
function check(db) {
  if (valueOf(db, "PRAGMA application_id") !== APPLICATION_ID) {
    throw new Error("it is a database of another program");
  }
  const version = Number(valueOf(db, "PRAGMA user_version"));
  if (version >= 1 && version <= SCHEMA_VERSION) return;
  throw new Error(
    `its schema has version ${version}; this program knows ${SCHEMA_VERSION}`,
  );
}

/**
 * Returns the only value in the only row of a query.
 *
 * @param {DatabaseSync} db
 * @param {string} sql
 */
function valueOf(db, sql) {
  const [value] = Object.values(db.prepare(sql).get() ?? {});
  if (value === undefined) throw new Error("a row is missing");
  return value;
}

/** @param {DatabaseSync} db */
function statementsOf(db) {
  return {
    insert: db.prepare(`INSERT ${ROW}`),
    insertAgain: db.prepare(`INSERT OR IGNORE ${ROW}`),
    first: db.prepare("SELECT id FROM messages ORDER BY id LIMIT 1"),
    last: db.prepare("UPDATE store SET last_id = ?"),
    checkpoint: db.prepare("INSERT OR REPLACE INTO handed_on VALUES (?, ?)"),
    latest: db.prepare(
      "SELECT CAST(time AS REAL) AS time FROM messages ORDER BY id DESC LIMIT 1",
    ),
    pruneRows: db.prepare(
      `DELETE FROM messages WHERE id IN (
        SELECT id FROM messages WHERE id <= ? ORDER BY id LIMIT ${MAX_PRUNED})`,
    ),
    pruneTime: db.prepare(
      `DELETE FROM messages WHERE id IN (
        SELECT id FROM messages WHERE time < ? ORDER BY time LIMIT ${MAX_PRUNED})`,
    ),
    epoch: db.prepare("INSERT OR REPLACE INTO epochs VALUES (?, ?)"),
    // A statement throws an error with a code, `exec` one with a text only.
    begin: db.prepare("BEGIN IMMEDIATE"),
    commit: db.prepare("COMMIT"),
  };
}

/**
 * @param {Batch} batch
 * @param {StatementSync} statement
 */
function insertAll(batch, statement) {
  const { ids, times, senders, names, sources, truncated, ends, data } = batch;
  let start = 0;
  for (const [i, id] of ids.entries()) {
    const sender = at(names, at(senders, i));
    const source = sender.startsWith("unix:")
      ? null
      : sources.subarray(16 * i, 16 * (i + 1));
    const end = at(ends, i);
    statement.run(
      id,
      at(times, i),
      sender,
      source,
      at(truncated, i),
      data.subarray(start, end),
    );
    start = end;
  }
}

/**
 * @template T
 * @param {ArrayLike<T>} column
 * @param {number} row
 */
function at(column, row) {
  const value = column[row];
  if (value === undefined) throw new RangeError(`the batch has no row ${row}`);
  return value;
}
