// @ts-check
// What is known of a store besides its messages.
import { DatabaseSync } from "node:sqlite";
import { APPLICATION_ID, SCHEMA_VERSION } from "./schema.js";

/**
 * @typedef {object} Start What a new file begins with.
 * @property {string} identity
 * @property {number} lastId The number before its first message.
 * @property {number} size How many messages the present file holds, at most.
 * @property {Map<string, number>} checkpoints
 * @property {[firstId: number, epoch: string][]} epochs Of the messages in it.
 */

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
    return stateIn(new DatabaseSync(path), "PRAGMA locking_mode = EXCLUSIVE");
  }
}

/** @param {DatabaseSync} db @param {string} before */
function stateIn(db, before = "") {
  try {
    db.exec(before);
    if (isBlank(db)) return undefined;
    check(db);
    return stateOf(db);
  } finally {
    db.close();
  }
}

/** @param {DatabaseSync} db */
export function isBlank(db) {
  return valueOf(db, "PRAGMA user_version") === 0 &&
    valueOf(db, "SELECT count(*) FROM sqlite_schema") === 0;
}

/**
 * @param {DatabaseSync} db
 * @returns {Start}
 */
export function stateOf(db) {
  const identity = String(valueOf(db, "SELECT identity FROM store"));
  const checkpoints = db.prepare("SELECT destination, id FROM handed_on").all();
  const epochs = valueOf(db, "PRAGMA user_version") === 1
    ? [{ first_id: 1, epoch: identity }]
    : db.prepare("SELECT first_id, epoch FROM epochs ORDER BY first_id").all();
  const lastId = Number(valueOf(db, "SELECT last_id FROM store"));
  const { id: firstId = lastId + 1 } =
    db.prepare("SELECT id FROM messages ORDER BY id LIMIT 1").get() ?? {};
  return {
    identity,
    lastId,
    size: lastId - Number(firstId) + 1,
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
export function check(db) {
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
export function valueOf(db, sql) {
  const [value] = Object.values(db.prepare(sql).get() ?? {});
  if (value === undefined) throw new Error("a row is missing");
  return value;
}
