// @ts-check
// The file of a store, which others may move, remove, replace or empty while it
// is open.

// https://sqlite.org/fileformat2.html
const MAGIC = "SQLite format 3\0";
const LOG_HEADER = 32;
const FRAME_HEADER = 24;
// Where the versions to write and to read a file are, and their values.
const VERSIONS = 18;
const WITHOUT_LOG = Uint8Array.of(1, 1);
const TABLE_LEAF = 13;
// The type of a text of 36 characters, as UUIDs have.
const UUID = 13 + 2 * 36;
// The row that names the opening is near the beginning of a file.
const FIRST_PAGES = 32;

/** @typedef {"moved" | "removed" | "emptied" | "cut"} Change */

/** Another server has locked the file. */
export class TakenError extends Error {}

/** A file that is locked for one server, and compared with what is at its path. */
export class StoreFile {
  #path;
  /** @type {Deno.FsFile} */
  #file;
  /** @type {Deno.FileInfo} */
  #own;
  #size = 0;
  // SQLite has its files beside the file itself, not beside a link to it.
  /** @type {string} */
  #target;
  /** @type {Map<string, Deno.FileInfo | undefined>} */
  #log = new Map();

  /**
   * Creates the file if there is none.
   *
   * @param {string} path
   * @throws {TakenError} Another server has locked it.
   */
  constructor(path) {
    this.#path = path;
    this.#file = Deno.openSync(path, { read: true, write: true, create: true });
    this.#own = this.#file.statSync();
    try {
      if (!this.#own.isFile) throw new Error("it is not a file");
      if (!this.#file.tryLockSync(true)) {
        throw new TakenError("another server is using it");
      }
      this.#target = Deno.realPathSync(path);
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  /**
   * Compares the file with what is at its path: device, inode and size. Takes 3 µs.
   *
   * @param {boolean} isInDoubt Whether to read how large it must be: a checkpoint
   * makes it larger than it was at the last look. Not if one is incomplete, as on
   * a full disk: it begins with that number.
   * @returns {"same" | Change}
   */
  look(isInDoubt = false) {
    const there = statOf(this.#path);
    if (there === undefined || !isSame(this.#own, there)) {
      return this.#hasName() ? "moved" : "removed";
    }
    const size = isInDoubt && there.size > 0 ? this.#sizeInHeader() : 0;
    if (size < Infinity) this.#size = Math.max(this.#size, size);
    if (there.size < this.#size) {
      if (there.size === 0) return "emptied";
      if (there.size < this.#sizeInHeader()) return "cut";
    }
    this.#size = there.size;
    return "same";
  }

  /**
   * Whether the file is anywhere. That cannot be known without all permissions if
   * a file is in the place of its folder: Deno looks at its path again.
   */
  #hasName() {
    try {
      return (this.#file.statSync().nlink ?? 1) > 0;
    } catch (error) {
      if (error instanceof Deno.errors.NotADirectory) return false;
      throw error;
    }
  }

  /**
   * Marks the file as one without a log, when SQLite has closed it and its log is
   * empty. Who may only read it could not open it otherwise.
   */
  markWithoutLog() {
    // It may have been moved before SQLite had opened it.
    if (this.#file.statSync().size === 0) return;
    this.#file.seekSync(VERSIONS, Deno.SeekMode.Start);
    this.#file.writeSync(WITHOUT_LOG);
    this.#file.syncDataSync();
  }

  /** Removes what is in it. */
  empty() {
    this.#file.truncateSync();
  }

  /** Notes which files beside it are SQLite's log of it. */
  rememberLog() {
    for (const name of [`${this.#target}-wal`, `${this.#target}-shm`]) {
      try {
        this.#log.set(name, statOf(name));
      } catch {
        // It may touch only the file itself.
      }
    }
  }

  /**
   * Compares the log beside the path with the one that was there before.
   *
   * @param {string} opening The name of the present opening.
   * @returns {"own" | "empty" | "foreign"} It is also this file's own if it went
   * with the file, and foreign if others have copied theirs over it.
   */
  lookAtLog(opening) {
    const [[name, own] = []] = this.#log;
    if (name === undefined || own === undefined) return "own";
    const there = statOf(name);
    if (!isSame(own, there)) return "own";
    if (there?.size === 0) return "empty";
    const openings = openingsInLog(Deno.readFileSync(name));
    return openings.length === 0 || openings.includes(opening)
      ? "own"
      : "foreign";
  }

  /**
   * Removes what is left of the log of a file that was moved. Others that still
   * have that file open must not share it with the next one.
   */
  removeLog() {
    for (const [name, own] of this.#log) {
      const there = statOf(name);
      if (own !== undefined && isSame(own, there)) Deno.removeSync(name);
    }
  }

  /** Ends the lock. Only when SQLite has closed the file, whose locks end too. */
  close() {
    this.#file.close();
  }

  /**
   * Renames a write-ahead log beside the file that belongs to another one, which
   * was moved or restored: SQLite would delete it, or write it into this file.
   *
   * @returns {string | undefined} Its new name, if there was one.
   */
  setOrphanAside() {
    const log = `${this.#target}-wal`;
    try {
      if ((statOf(log)?.size ?? 0) <= LOG_HEADER) return undefined;
    } catch (error) {
      // It may touch only the file itself.
      if (error instanceof Deno.errors.NotCapable) return undefined;
      throw error;
    }
    if (this.#file.statSync().size > 0 && !this.#isForeign(log)) {
      return undefined;
    }
    let aside = `${log}.orphan`;
    for (let n = 2; statOf(aside) !== undefined; n++) {
      aside = `${log}.orphan${n}`;
    }
    Deno.renameSync(log, aside);
    return aside;
  }

  /**
   * Whether a log was written while another file was open. Each transaction that
   * stores messages writes the page that names the opening.
   *
   * @param {string} log
   */
  #isForeign(log) {
    const bytes = Deno.readFileSync(log);
    const openings = openingsInLog(bytes);
    const size = pageSizeOf(bytes);
    const own = openingsIn(this.#start(FIRST_PAGES * size), 0, 0, size);
    return own.length > 0 && openings.length > 0 &&
      !own.some((opening) => openings.includes(opening));
  }

  /** The size that the file states: `VACUUM` of another program makes it smaller. */
  #sizeInHeader() {
    const bytes = this.#start(100);
    const header = new DataView(bytes.buffer);
    const isIntact = textOf(bytes.subarray(0, MAGIC.length)) === MAGIC;
    const pageSize = header.getUint16(16);
    return isIntact
      ? (pageSize === 1 ? 65_536 : pageSize) * header.getUint32(28)
      : Infinity;
  }

  /** Its first bytes. @param {number} size */
  #start(size) {
    const bytes = new Uint8Array(size);
    this.#file.seekSync(0, Deno.SeekMode.Start);
    return bytes.subarray(0, this.#file.readSync(bytes) ?? 0);
  }
}

/** @param {Uint8Array<ArrayBuffer>} log */
function openingsInLog(log) {
  return openingsIn(log, LOG_HEADER, FRAME_HEADER, pageSizeOf(log));
}

/** The size of a page, by the header of a log. @param {Uint8Array<ArrayBuffer>} log */
function pageSizeOf(log) {
  const size = log.length < LOG_HEADER
    ? 0
    : new DataView(log.buffer).getUint32(8);
  // SQLite ignores a log whose header is damaged.
  return size < 512 || size > 65_536 ? log.length : size;
}

/**
 * Returns the names of openings in pages.
 *
 * @param {Uint8Array} bytes
 * @param {number} start Where the first page begins.
 * @param {number} header The length of what stands before each page.
 * @param {number} size That of a page.
 */
function openingsIn(bytes, start, header, size) {
  const openings = [];
  const step = header + size;
  for (let at = start; at + step <= bytes.length; at += step) {
    const opening = openingIn(bytes.subarray(at + header, at + step));
    if (opening !== undefined) openings.push(opening);
  }
  return openings;
}

/** @param {Uint8Array} page */
function openingIn(page) {
  const [type, , , high, low] = page;
  if (type !== TABLE_LEAF || high !== 0 || low !== 1) return undefined;
  const cell = page.subarray(
    new DataView(page.buffer, page.byteOffset).getUint16(8),
  );
  // Its row is (identity, last_id, opening).
  const [size = 0, , header, identity, , opening] = cell;
  return header === 4 && identity === UUID && opening === UUID
    ? textOf(cell.subarray(2 + size - 36, 2 + size))
    : undefined;
}

/**
 * Returns what is at a path, if anything is.
 *
 * @param {string} path
 * @returns {Deno.FileInfo | undefined}
 */
export function statOf(path) {
  try {
    return Deno.statSync(path);
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Whether two paths lead to the same file.
 *
 * @param {Deno.FileInfo} one
 * @param {Deno.FileInfo | undefined} other
 */
export function isSame(one, other) {
  return one.dev === other?.dev && one.ino === other?.ino;
}

/** One character per byte. @param {Uint8Array} bytes */
function textOf(bytes) {
  return new TextDecoder("latin1").decode(bytes);
}
