// @ts-check
// The file at a store's path: opened, compared, and followed by another one.
import { Database } from "./database.js";
import { setOrphanAside, statOf, StoreFile } from "./file.js";
import { hasOwnLog, saved } from "./fate.js";
import { Kept } from "./kept.js";
import { stateWithoutWriting } from "./state.js";

/**
 * @typedef {import("./rows.js").Batch} Batch
 * @typedef {import("./state.js").Start} Start
 * @typedef {import("./fate.js").Fate} Fate
 *
 * @typedef {object} Settings
 * @property {string} path
 * @property {string} identity That of the first file, if it is new.
 * @property {string} epoch That of the messages to come.
 * @property {boolean} isDurable
 * @property {number} keepRows
 */

// How often the end tries to fold the log of a file that was moved.
const MAX_FOLDS = 10;
const MAX_OPENINGS = 5;

/** The place of a store: whatever others do, the file at its path is in use. */
export class Place {
  #settings;
  #report;
  #othersLeft;
  /** @type {StoreFile | undefined} */
  #file;
  /** @type {Database | undefined} */
  #database;
  // What became of the file before, while that is not reported.
  /** @type {{ fate: Fate, size: number } | undefined} */
  #predecessor;
  // Whether another program cut the file: what it holds is of no use.
  #isCut = false;
  #kept = new Kept();
  #isDirty = false;
  // Logs of other files, set aside and not reported yet.
  /** @type {string[]} */
  #orphans = [];
  /** What the next file would begin with. @type {Start} */
  state;
  /** Whether messages have got their numbers already. */
  isNumbered = false;

  /**
   * @param {Settings} settings
   * @param {(report: Record<string, unknown>) => void} report
   * @param {() => Promise<void>} othersLeft Resolves when nobody else in this
   * process has the file open.
   */
  constructor(settings, report, othersLeft) {
    this.#settings = settings;
    this.#report = report;
    this.#othersLeft = othersLeft;
    const { identity } = settings;
    this.state = { identity, lastId: 0, checkpoints: new Map(), epochs: [] };
  }

  /** The database, while one is open. */
  get database() {
    return this.#database;
  }

  /** Opens the file at the path, or creates it. */
  open() {
    for (let n = 1;; n++) {
      const file = this.#claim();
      try {
        const next = new Database(
          this.#settings.path,
          this.#settings,
          this.state,
        );
        this.#database = this.#checked(next);
        break;
      } catch (error) {
        // Others may have moved it while it was opened.
        if (file.look() === "same" || n === MAX_OPENINGS) throw error;
      }
    }
    this.state = this.#database.state;
    this.#file?.rememberLog();
    // Its size now: from here on a smaller one was emptied or cut.
    this.#file?.look();
  }

  /** Locks the file at the path. */
  #claim() {
    const { path } = this.#settings;
    // Another one may be there now.
    if (this.#file !== undefined && this.#file.look() !== "same") {
      this.#file.close();
      this.#file = undefined;
    }
    if (this.#file === undefined) {
      const orphan = setOrphanAside(path);
      if (orphan !== undefined) this.#orphans.push(orphan);
      this.#file = new StoreFile(path);
    }
    return this.#file;
  }

  /** @param {Database} next */
  #checked(next) {
    if (!this.isNumbered || next.lastId <= this.state.lastId) return next;
    next.close();
    throw new Error(
      "another store is in its place, with higher numbers; move it away",
    );
  }

  /**
   * Reads where the numbers go on, if the file cannot be opened for writing now.
   *
   * @returns Whether that is known.
   */
  readState() {
    const { path } = this.#settings;
    try {
      if ((statOf(path)?.size ?? 0) > 0) {
        this.state = stateWithoutWriting(path) ?? this.state;
      }
      return true;
    } catch {
      return false;
    }
  }

  reportOrphans() {
    for (const path of this.#orphans.splice(0)) {
      this.#report({ type: "orphan", path });
    }
  }

  /**
   * Changes the database, and again if the file turns out to be another one. When
   * it returns, the file at the path holds the result.
   *
   * @param {(database: Database) => void} change May be called several times.
   */
  async change(change) {
    for (;;) {
      const { file, database } = await this.#settled();
      try {
        change(database);
        this.#isDirty = true;
      } catch (error) {
        // Whatever happens in a file that others have changed is due to that.
        if (file.look() === "same") throw error;
      }
      // Nothing is reported as stored unless it is still there.
      if (file.look() === "same") break;
    }
    if (this.#kept.isFull) this.#fold();
  }

  /** Notes that a batch is stored. @param {Batch} batch */
  keep(batch) {
    this.#kept.add(batch);
    this.state.lastId = Math.max(this.state.lastId, batch.ids.at(-1) ?? 0);
  }

  /** Begins an epoch. @param {number} firstId @param {string} epoch */
  async beginEpoch(firstId, epoch) {
    await this.change((database) => database.saveEpoch(firstId, epoch));
    this.#settings = { ...this.#settings, epoch };
  }

  /** Sees to it that the file is there, and that its log is folded into it. */
  async lookAfter() {
    await this.#settled();
    if (this.#isDirty) this.#fold();
  }

  /**
   * Closes the file, wherever it is. Reports what is lost with it.
   *
   * @throws Something could not be saved.
   */
  async close() {
    const change = this.#file?.look();
    /** @type {Fate | undefined} */
    let fate = change === "same" ? undefined : change;
    try {
      fate = await this.#end();
    } finally {
      const { size = 0 } = this.#predecessor ?? this.#database ?? {};
      const isComplete = fate === "moved" || fate === "torn";
      if (fate !== undefined) {
        const gone = isComplete ? 0 : size;
        this.#report({ type: "succeeded", fate, gone });
      }
      this.#database?.close(this.#file?.look() === "same");
      if (fate === "moved") this.#file?.markWithoutLog();
      this.#file?.close();
    }
  }

  /** @returns {Promise<Fate | undefined>} What is to be reported. */
  async #end() {
    const [file, database] = [this.#file, this.#database];
    if (file === undefined || database === undefined) {
      return this.#predecessor?.fate;
    }
    const change = file.look();
    if (change === "same") return undefined;
    if (
      change !== "moved" || this.#isCut || !hasOwnLog(file, database)
    ) {
      await this.#settled();
      return undefined;
    }
    for (let n = 1; n < MAX_FOLDS; n++) {
      if (database.foldLog()) return "moved";
    }
    return "torn";
  }

  /**
   * Sees to it that the file at the path is the one that is open.
   *
   * @throws That is not possible now.
   */
  async #settled() {
    for (;;) {
      if (this.#database === undefined) {
        this.open();
        this.#report({ type: "entered", identity: this.state.identity });
        this.reportOrphans();
      }
      const [file, database] = [this.#file, this.#database];
      if (database === undefined || file === undefined) continue;
      this.#takeOver(database);
      const change = file.look();
      if (change === "same") return { file, database };
      await this.#leave(change, file, database);
    }
  }

  /**
   * Closes a file that is no longer at its path. Only then another one is opened
   * there: it would share the log.
   *
   * @param {Exclude<ReturnType<StoreFile["look"]>, "same">} change
   * @param {StoreFile} file
   * @param {Database} database
   */
  async #leave(change, file, database) {
    if (change === "cut") {
      this.#isCut = true;
      throw new Error("another program cut it short; move it away");
    }
    await this.#othersLeft();
    const fate = this.#isCut
      ? "cut"
      : await saved(change, file, database, this.#settings.path);
    this.#predecessor = { fate, size: this.#sizeOfLoss(fate, database) };
    database.close();
    if (fate === "moved") file.markWithoutLog();
    // SQLite has folded its log into what is no database any more.
    if (change === "emptied") file.empty();
    // What was copied over it belongs to the file that is there now.
    if (fate !== "severed") file.removeLog();
    file.close();
    if (fate !== "saved") {
      this.state = { ...this.state, identity: crypto.randomUUID() };
    }
    this.#database = this.#file = undefined;
    this.#isCut = false;
  }

  /**
   * How many messages are lost with a file, unless they are written again.
   *
   * @param {Fate} fate
   * @param {Database} database
   */
  #sizeOfLoss(fate, database) {
    if (fate === "moved" || fate === "saved") return 0;
    return fate === "severed" ? this.#kept.size : database.size;
  }

  /** Writes again what is lost with the file before. @param {Database} next */
  #takeOver(next) {
    if (this.#predecessor === undefined) return;
    const { fate, size } = this.#predecessor;
    let gone = size;
    if (size > 0) {
      const before = next.size === 0 ? 0 : next.lastId;
      for (const batch of this.#kept.batches) {
        next.store(batch, true);
        gone -= batch.ids.filter((id) => id > before).length;
      }
    }
    this.#predecessor = undefined;
    this.#isDirty = true;
    this.#report({ type: "succeeded", fate, gone: Math.max(0, gone) });
  }

  #fold() {
    const isEmpty = this.#kept.forget();
    this.#database?.checkpoint();
    // Its size is another one now.
    this.#file?.look();
    // What is kept is forgotten by the next one.
    this.#isDirty = !isEmpty;
  }
}
