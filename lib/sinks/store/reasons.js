// @ts-check
// Why SQLite or the system rejects an operation, in the words of a user.

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

// A lock, the disk, its room: SQLite's codes, and those of the system (too many
// files, no room, quota).
const PASSING = [5, 6, 10, 13];
const PASSING_OS = /\(os error (?:23|24|28|122)\)/;

/**
 * Returns SQLite's code of an error, if it is one of those above.
 *
 * @param {unknown} error
 */
function codeOf(error) {
  const { errcode, message } =
    /** @type {{ errcode?: number, message: string }} */ (error);
  // Errors of the constructor and of `exec` have no code.
  return errcode === undefined
    ? WORDS.find(([words]) => message.startsWith(words))?.[1]
    : errcode & 255;
}

/** @param {unknown} error */
export function reasonOf(error) {
  const known = /** @type {Record<number, string>} */ (REASONS);
  const { message } = /** @type {Error} */ (error);
  // Some are followed by the lines of the statement.
  return known[codeOf(error) ?? 0] ?? message.replace(/ in ?\n.*/s, "");
}

/**
 * Whether an error may be over without anything that a user does to the file.
 *
 * @param {unknown} error
 */
export function isPassing(error) {
  return PASSING.includes(codeOf(error) ?? 0) ||
    PASSING_OS.test(/** @type {Error} */ (error).message);
}

/**
 * Whether a file holds something else than SQLite has written.
 *
 * @param {unknown} error
 */
export function isDamage(error) {
  return codeOf(error) === 11;
}
