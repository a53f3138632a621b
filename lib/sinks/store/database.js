// @ts-check
// One open database of messages.
import { backup, DatabaseSync } from "node:sqlite";
import { insertAll } from "./rows.js";
import { FORGET_EPOCHS, SCHEMA, UPGRADE } from "./schema.js";
import { check, isBlank, stateOf, valueOf } from "./state.js";

/** @typedef {import("./rows.js").Batch} Batch */

/** @typedef {import("./state.js").Start} Start */

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
  /** The name of this opening, by which its log is known. */
  opening = crypto.randomUUID();
  /** The number of the newest message that was ever stored. */
  lastId;
  /** That of the next messages, until it is saved. @type {string | undefined} */
  #epoch;
  // How many messages were deleted since that was asked.
  #deleted = 0;
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
      this.lastId = stateOf(this.#db).lastId;
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
    this.#deleted += pruned;
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
    for (const count of counts) this.#deleted += count;
    this.#findFirst();
    return counts.includes(MAX_PRUNED);
  }

  /** Returns how many messages were deleted since the last call. */
  takeDeleted() {
    const count = this.#deleted;
    this.#deleted = 0;
    return count;
  }

  /** The time of the newest message, in milliseconds; `undefined` if there is none. */
  get latest() {
    const { time } = this.#statements.latest.get() ?? {};
    return time === undefined ? undefined : Number(time);
  }

  /**
   * Writes the log into the file, as far as readers permit.
   *
   * @returns Whether that is all of it.
   */
  checkpoint() {
    const { log, checkpointed } =
      this.#db.prepare("PRAGMA wal_checkpoint(PASSIVE)").get() ?? {};
    return log === checkpointed;
  }

  /** Writes all of the log into the file. @returns Whether no reader prevents it. */
  foldLog() {
    const { busy } =
      this.#db.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() ??
        {};
    return busy === 0;
  }

  /** Whether the file has all that its log holds, as far as SQLite knows. */
  get isFolded() {
    try {
      // It fails where it has to read a log that others have emptied.
      return this.checkpoint();
    } catch {
      return false;
    }
  }

  /** Copies it into a file that is empty or not there. @param {string} path */
  async saveTo(path) {
    // In one step: it begins again whenever another process writes in between.
    await backup(this.#db, path, { rate: 2 ** 31 - 1 });
  }

  /** @param {boolean} isInPlace Whether the file is at its path. */
  close(isInPlace = false) {
    try {
      // Who may only read it can open it then. SQLite removes the log by its path.
      if (isInPlace) this.#db.exec("PRAGMA journal_mode = DELETE");
    } catch {
      // Somebody reads it.
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
    this.#db.prepare("UPDATE store SET opening = ?").run(this.opening);
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
