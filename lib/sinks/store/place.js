// @ts-check
// The file at a store's path: opened, compared, and followed by another one.
import { Database } from "./database.js";
import { statOf } from "./file.js";
import { fateOfUnopened, hasOwnLog, saved } from "./fate.js";
import { Legacy } from "./legacy.js";
import { Opener } from "./opener.js";
import { isDamage } from "./reasons.js";
import { stateWithoutWriting } from "./state.js";

/**
 * @typedef {import("./rows.js").Batch} Batch
 * @typedef {import("./state.js").Start} Start
 * @typedef {import("./fate.js").Fate} Fate
 * @typedef {import("./file.js").Change} Change
 * @typedef {import("./file.js").StoreFile} StoreFile
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

/** The place of a store: whatever others do, the file at its path is in use. */
export class Place {
  #settings;
  #report;
  #othersLeft;
  #opener;
  /** @type {Database | undefined} */
  #database;
  #legacy = new Legacy();
  // Whether another program cut the file: what it holds is of no use.
  #isCut = false;
  #isDirty = false;
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
    const { path, identity } = settings;
    this.#opener = new Opener(path);
    this.state = {
      identity,
      lastId: 0,
      size: 0,
      checkpoints: new Map(),
      epochs: [],
    };
  }

  /** The database, while one is open. */
  get database() {
    return this.#database;
  }

  /** Opens the file at the path, or creates it. */
  open() {
    const { path } = this.#settings;
    this.#database = this.#opener.open(
      () => this.#checked(new Database(path, this.#settings, this.state)),
      (change) => this.#noteUnopened(change),
    );
    this.state = this.#database.state;
  }

  /**
   * Notes what became of a file that could not be opened.
   *
   * @param {Change} change
   */
  #noteUnopened(change) {
    if (this.state.size === 0) return;
    const fate = fateOfUnopened(change, this.#settings.path);
    this.#legacy.leave(fate, this.state.size);
    this.#beginAnother();
  }

  /** What comes next is another file. */
  #beginAnother() {
    this.state = { ...this.state, identity: crypto.randomUUID(), size: 0 };
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
    for (const path of this.#opener.takeOrphans()) {
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
    await this.#inPlace((database) => {
      change(database);
      this.#isDirty = true;
    });
    if (this.#legacy.isFull) await this.#inPlace(() => this.#fold());
  }

  /** Notes that a batch is stored. @param {Batch} batch */
  keep(batch) {
    this.#legacy.keep(batch);
    this.state.lastId = Math.max(this.state.lastId, batch.ids.at(-1) ?? 0);
  }

  /** Begins an epoch. @param {number} firstId @param {string} epoch */
  async beginEpoch(firstId, epoch) {
    await this.change((database) => database.saveEpoch(firstId, epoch));
    this.#settings = { ...this.#settings, epoch };
  }

  /** Sees to it that the file is there, and that its log is folded into it. */
  async lookAfter() {
    await this.#inPlace(() => this.#fold());
  }

  /**
   * Closes the file, wherever it is. Reports what is lost with it.
   *
   * @throws Something could not be saved.
   */
  async close() {
    const change = this.#opener.file?.look() ?? "same";
    // If that fails, a file that was moved is not complete without its log.
    const left = this.#isCut ? "cut" : "torn";
    /** @type {Fate | "same"} */
    let fate = change === "moved" ? left : change;
    try {
      fate = await this.#end();
    } finally {
      if (fate !== "same") {
        const gone = this.#legacy.fate === undefined
          ? this.#legacy.lossOf(fate, this.#database?.size ?? 0)
          : this.#legacy.lost;
        this.#report({ type: "succeeded", fate, gone });
      }
      this.#database?.close(this.#opener.file?.look() === "same");
      if (fate === "moved") {
        this.#opener.file?.markWithoutLog();
        this.#opener.file?.removeLog();
      }
      this.#opener.release();
    }
  }

  /** @returns {Promise<Fate | "same">} What became of the file. */
  async #end() {
    const [file, database] = [this.#opener.file, this.#database];
    const change = file?.look() ?? "same";
    if (file === undefined || database === undefined) {
      if (change !== "same") this.#noteUnopened(change);
      return this.#legacy.fate ?? "same";
    }
    if (change === "same") return change;
    if (change !== "moved" || this.#isCut || !hasOwnLog(file, database)) {
      await this.#settled();
      return "same";
    }
    for (let n = 1; n < MAX_FOLDS; n++) {
      if (database.foldLog()) return "moved";
    }
    return "torn";
  }

  /**
   * Does something with the database, and again if the file turns out to be
   * another one.
   *
   * @param {(database: Database) => void} action
   */
  async #inPlace(action) {
    for (;;) {
      const { file, database } = await this.#settled();
      try {
        action(database);
      } catch (error) {
        // Whatever happens in a file that others have changed is due to that.
        if (file.look(isDamage(error)) === "same") throw error;
      }
      // Nothing is reported as stored unless it is still there.
      if (file.look() === "same") return;
    }
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
      const [file, database] = [this.#opener.file, this.#database];
      if (database === undefined || file === undefined) continue;
      const left = this.#legacy.pass(database);
      if (left !== undefined) {
        this.#isDirty = true;
        this.#report({ type: "succeeded", ...left });
      }
      const change = file.look();
      if (change === "same") return { file, database };
      await this.#leave(change, file, database);
    }
  }

  /**
   * Closes a file that is no longer at its path. Only then another one is opened
   * there: it would share the log.
   *
   * @param {Change} change
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
    this.#legacy.leave(fate, database.size);
    if (fate === "saved") this.state = { ...this.state, size: database.size };
    else this.#beginAnother();
    this.#database = undefined;
    this.#isCut = false;
    database.close();
    try {
      if (fate === "moved") file.markWithoutLog();
      // SQLite has folded its log into what is no database any more.
      if (change === "emptied") file.empty();
      // What was copied over it belongs to the file that is there now.
      if (fate !== "severed") file.removeLog();
    } finally {
      this.#opener.release();
    }
  }

  #fold() {
    if (!this.#isDirty) return;
    const isComplete = this.#database?.checkpoint();
    const isEmpty = this.#legacy.forget();
    // Its size is another one now.
    this.#opener.file?.look(isComplete);
    // What is kept is forgotten by the next one.
    this.#isDirty = !isEmpty;
  }
}
