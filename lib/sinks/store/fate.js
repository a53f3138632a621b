// @ts-check
// What can be saved of a file that is no longer at its path.
import { statOf } from "./file.js";

/**
 * @typedef {import("./database.js").Database} Database
 * @typedef {import("./file.js").StoreFile} StoreFile
 *
 * @typedef {"moved" | "severed" | "torn" | "left" | "saved" | "removed" |
 *   "replaced" | "emptied" | "cut"} Fate What became of a file.
 */

/**
 * Saves what can be saved of a file.
 *
 * @param {"moved" | "removed" | "emptied"} change
 * @param {StoreFile} file
 * @param {Database} database
 * @param {string} path
 * @returns {Promise<Fate>}
 * @throws That is not possible now.
 */
export async function saved(change, file, database, path) {
  if (change === "removed") {
    return await isWrittenAgain(database, path) ? "saved" : "replaced";
  }
  if (change === "emptied") return change;
  if (!hasOwnLog(file, database)) return "severed";
  if (database.foldLog()) return change;
  throw new Error("another process reads it for long");
}

/**
 * What became of a file that could not be opened so far.
 *
 * @param {import("./file.js").Change} change
 * @param {string} path
 * @returns {Fate}
 */
export function fateOfUnopened(change, path) {
  if (change === "moved") return "left";
  return change === "removed" && isTaken(path) ? "replaced" : change;
}

/**
 * Whether nothing is missing in the log of a file.
 *
 * @param {StoreFile} file
 * @param {Database} database
 */
export function hasOwnLog(file, database) {
  const log = file.lookAtLog(database.opening);
  // SQLite empties it as well, when all of it is in the file.
  return log === "own" || log === "empty" && database.isFolded;
}

/**
 * Writes a removed file to the disk again, unless another one is in its place.
 *
 * @param {Database} removed
 * @param {string} path
 */
async function isWrittenAgain(removed, path) {
  if (isTaken(path)) return false;
  try {
    await removed.saveTo(path);
    return true;
  } catch (error) {
    // A half of it must not be taken for a file of somebody else.
    if (statOf(path) !== undefined) Deno.truncateSync(path);
    throw error;
  }
}

/** Whether there is a file that holds something. @param {string} path */
function isTaken(path) {
  return (statOf(path)?.size ?? 0) > 0;
}
