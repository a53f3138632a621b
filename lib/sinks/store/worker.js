// @ts-check
// Writes a store, in a worker, so that no datagram waits for a commit or for
// SQLite's own checkpoints. It is started from its text, so that it needs no
// permission to read its file.
import { DatabaseSync } from "node:sqlite";

/**
 * @typedef {object} Batch Columns, with one entry per message.
 * @property {Float64Array} ids
 * @property {Float64Array} times Milliseconds since 1970.
 * @property {string} senders Joined by NUL.
 * @property {Uint8Array} sources 16 bytes each.
 * @property {Uint8Array} truncated
 * @property {Uint32Array} ends The end of the data of each message.
 * @property {Uint8Array} data
 *
 * @typedef {{ type: "open", path: string, identity: string, isDurable: boolean,
 *   keepRows: number, keepMs: number } |
 *   { type: "write", batch: Batch } |
 *   { type: "checkpoint", destination: string, id: number } |
 *   { type: "close" }} Order
 */

const APPLICATION_ID = 0x506c_6931;
const SCHEMA_VERSION = 1;
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
  CREATE TABLE store (identity TEXT NOT NULL, last_id INTEGER NOT NULL);
  -- How far messages were published, per destination.
  CREATE TABLE handed_on (destination TEXT PRIMARY KEY, id INTEGER NOT NULL) WITHOUT ROWID;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
// How long a write waits for another process's lock, and until it tries again.
const BUSY_MS = 200;
const RETRY_MS = 500;
// Old rows are deleted in small steps, between batches.
const MAX_PRUNED = 5000;
const PRUNE_EVERY_MS = 1000;
const WAL_LIMIT = 64 * 1024 * 1024;

/** @type {DatabaseSync} */
let db;
/** @type {ReturnType<typeof prepare>} */
let statements;
/** @type {Extract<Order, { type: "open" }>} */
let settings;
/** @type {(Batch | { destination: string, id: number })[]} */
const waiting = [];
let isFailing = false;
let isClosing = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let retry;

/** @type {{
 *   postMessage(message: object): void,
 *   onmessage: (event: { data: Order }) => void,
 * }} */
const main = /** @type {never} */ (self);

main.onmessage = ({ data: order }) => {
  switch (order.type) {
    case "open":
      return open(order);
    case "write":
      waiting.push(order.batch);
      return work();
    case "checkpoint":
      waiting.push(order);
      return work();
    case "close":
      return close();
  }
};

/** @param {Extract<Order, { type: "open" }>} order */
function open(order) {
  settings = order;
  try {
    db = new DatabaseSync(order.path);
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    if (query("PRAGMA user_version") === 0) create();
    check();
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${order.isDurable ? "FULL" : "NORMAL"};
      PRAGMA journal_size_limit = ${WAL_LIMIT};
    `);
    statements = prepare();
    const lastId = query("SELECT last_id FROM store");
    main.postMessage({ type: "opened", lastId });
    if (order.keepMs !== Infinity) setInterval(prune, PRUNE_EVERY_MS);
  } catch (error) {
    main.postMessage({ type: "refused", reason: reasonOf(error) });
  }
}

/** Returns the only value in the only row of a query. @param {string} sql */
function query(sql) {
  const [value] = Object.values(db.prepare(sql).get() ?? {});
  if (value === undefined) throw new Error("a row is missing");
  return value;
}

function create() {
  if (query("SELECT count(*) FROM sqlite_schema") !== 0) {
    throw new Error("it is a database of another program");
  }
  // It can be read while it is filled only if it is in WAL mode from the start.
  db.exec("PRAGMA journal_mode = WAL");
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA}`);
  db.prepare("INSERT INTO store VALUES (?, 0)").run(settings.identity);
  db.exec("COMMIT");
}

function check() {
  if (query("PRAGMA application_id") !== APPLICATION_ID) {
    throw new Error("it is a database of another program");
  }
  const version = query("PRAGMA user_version");
  if (version !== SCHEMA_VERSION) {
    throw new Error(
      `its schema has version ${version}; this program knows ${SCHEMA_VERSION}`,
    );
  }
}

function prepare() {
  return {
    insert: db.prepare("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)"),
    last: db.prepare("UPDATE store SET last_id = ?"),
    checkpoint: db.prepare("INSERT OR REPLACE INTO handed_on VALUES (?, ?)"),
    pruneRows: db.prepare(
      `DELETE FROM messages WHERE id IN (
        SELECT id FROM messages WHERE id <= ? ORDER BY id LIMIT ${MAX_PRUNED})`,
    ),
    pruneTime: db.prepare(
      `DELETE FROM messages WHERE id IN (
        SELECT id FROM messages WHERE time < ? ORDER BY time LIMIT ${MAX_PRUNED})`,
    ),
    // A statement throws an error with a code, `exec` one with a text only.
    begin: db.prepare("BEGIN IMMEDIATE"),
    commit: db.prepare("COMMIT"),
  };
}

/** Writes everything that waits, each batch in one transaction. */
function work() {
  if (retry !== undefined) return;
  for (;;) {
    const [next] = waiting;
    if (next === undefined) return;
    try {
      transaction(() => "ids" in next ? insert(next) : saveCheckpoint(next));
    } catch (error) {
      main.postMessage({ type: "failing", reason: reasonOf(error) });
      isFailing = true;
      if (isClosing) return;
      retry = setTimeout(() => {
        retry = undefined;
        work();
      }, RETRY_MS);
      return;
    }
    waiting.shift();
    if (isFailing) main.postMessage({ type: "recovered" });
    isFailing = false;
    if ("ids" in next) main.postMessage({ type: "stored" });
  }
}

/** @param {Batch} batch */
function insert({ ids, times, senders, sources, truncated, ends, data }) {
  let last = 0;
  let start = 0;
  for (const [i, sender] of senders.split("\0").entries()) {
    const source = sender.startsWith("unix:")
      ? null
      : sources.subarray(16 * i, 16 * (i + 1));
    const end = at(ends, i);
    last = at(ids, i);
    statements.insert.run(
      last,
      at(times, i),
      sender,
      source,
      at(truncated, i),
      data.subarray(start, end),
    );
    start = end;
  }
  statements.last.run(last);
  if (settings.keepRows !== Infinity) {
    statements.pruneRows.run(last - settings.keepRows);
  }
}

/**
 * @param {ArrayLike<number>} column
 * @param {number} row
 */
function at(column, row) {
  const value = column[row];
  if (value === undefined) throw new RangeError(`the batch has no row ${row}`);
  return value;
}

/** @param {{ destination: string, id: number }} order */
function saveCheckpoint({ destination, id }) {
  statements.checkpoint.run(destination, id);
}

function prune() {
  if (isFailing) return;
  const before = Date.now() - settings.keepMs;
  try {
    while (statements.pruneTime.run(before).changes === MAX_PRUNED);
  } catch {
    // It is tried again. A full disk is reported when a batch cannot be stored.
  }
}

/** @param {() => void} body */
function transaction(body) {
  statements.begin.run();
  try {
    body();
    statements.commit.run();
  } catch (error) {
    // A full disk has rolled it back already.
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

function close() {
  isClosing = true;
  clearTimeout(retry);
  retry = undefined;
  work();
  try {
    db.close();
  } catch {
    // Each batch was committed or reported before.
  }
  main.postMessage({ type: "closed" });
}

// Codes of sqlite3.h: the lower byte of an extended one.
const REASONS = {
  5: "another process has it locked",
  6: "another process has it locked",
  8: "it is read-only",
  10: "the disk has an error",
  11: "it is damaged",
  13: "the disk is full",
  14: "it cannot be opened; does the folder exist, and may it be written?",
  26: "it is not an SQLite database",
};

/** @type {[string, number][]} */
const WORDS = [
  ["database is locked", 5],
  ["attempt to write a readonly", 8],
  ["disk I/O error", 10],
  ["database disk image is malformed", 11],
  ["database or disk is full", 13],
  ["unable to open database file", 14],
  ["file is not a database", 26],
];

/** @param {unknown} error */
function reasonOf(error) {
  const { errcode, message } =
    /** @type {{ errcode?: number, message: string }} */ (error);
  const known = /** @type {Record<number, string>} */ (REASONS);
  if (errcode !== undefined) return known[errcode & 255] ?? message;
  // Errors of the constructor and of `exec` have no code.
  const code = WORDS.find(([words]) => message.startsWith(words))?.[1];
  return code === undefined ? message : known[code];
}
