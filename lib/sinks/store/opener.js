// @ts-check
// How the file at a store's path is opened, while others may move it.
import { StoreFile } from "./file.js";

/** @typedef {import("./file.js").Change} Change */

const MAX_ATTEMPTS = 5;

/** Opens the file at a path, which nobody else writes, without another's log. */
export class Opener {
  #path;
  /** The file that is locked. @type {StoreFile | undefined} */
  #file;
  // Logs of other files, set aside and not asked for yet.
  /** @type {string[]} */
  #orphans = [];

  /** @param {string} path */
  constructor(path) {
    this.#path = path;
  }

  /** The file that is locked, once it was found. */
  get file() {
    return this.#file;
  }

  /**
   * Opens the file at the path, or creates it.
   *
   * @template T
   * @param {() => T} open Opens what is at the path.
   * @param {(change: Change) => void} onChange Called when the file that was
   * locked before is not the one that is opened.
   * @returns {T} What `open` returns.
   */
  open(open, onChange) {
    for (let n = 1;; n++) {
      const file = this.#lock(onChange);
      try {
        const opened = open();
        file.rememberLog();
        // Its size now: from here on a smaller one was emptied or cut.
        file.look();
        return opened;
      } catch (error) {
        // Others may have moved it while it was opened.
        if (file.look() === "same") throw error;
        if (n === MAX_ATTEMPTS) {
          throw new Error("others move it again and again");
        }
      }
    }
  }

  /** Lets go of the file. Only when SQLite has closed it. */
  release() {
    this.#file?.close();
    this.#file = undefined;
  }

  /** Returns the paths of further logs that were set aside. */
  takeOrphans() {
    return this.#orphans.splice(0);
  }

  /** @param {(change: Change) => void} onChange */
  #lock(onChange) {
    const change = this.#file?.look() ?? "same";
    if (change !== "same") {
      onChange(change);
      this.release();
    }
    return this.#file ??= this.#lockNext();
  }

  #lockNext() {
    const file = new StoreFile(this.#path);
    try {
      const orphan = file.setOrphanAside();
      if (orphan !== undefined) this.#orphans.push(orphan);
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  }
}
