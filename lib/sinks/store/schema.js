// @ts-check
// The tables of a store, and how earlier ones become the present ones.

/** By it SQLite's files of this program are known. */
export const APPLICATION_ID = 0x506c_6931;
/** The version of the tables. */
export const SCHEMA_VERSION = 2;
const EPOCHS = `
  -- Which epoch the messages from a number on belong to.
  CREATE TABLE epochs (first_id INTEGER PRIMARY KEY, epoch TEXT NOT NULL);
`;
/** Creates the tables. */
export const SCHEMA = `
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
/** Changes the tables of version 1. */
export const UPGRADE = `
  BEGIN IMMEDIATE;
  ALTER TABLE store ADD COLUMN opening TEXT;
  ${EPOCHS}
  INSERT INTO epochs SELECT 1, identity FROM store;
  PRAGMA user_version = ${SCHEMA_VERSION};
  COMMIT;
`;
/** Deletes the epochs of which no message is left. */
export const FORGET_EPOCHS = `
  DELETE FROM epochs WHERE first_id < (
    SELECT max(first_id) FROM epochs WHERE first_id <= (
      SELECT coalesce(min(id), last_id) FROM store LEFT JOIN messages))`;
