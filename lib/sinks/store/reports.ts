import { count } from "../../count.ts";
import { quote } from "../../errors.ts";

/** What others did to the file of a store. */
type Fate =
  | "moved"
  | "severed"
  | "torn"
  | "left"
  | "saved"
  | "removed"
  | "replaced"
  | "emptied"
  | "cut";

const FATES: Readonly<Record<Fate, string>> = {
  moved: "was moved: its messages are complete there, a new file begins",
  severed: "was moved, and its log overwritten: what was in it is written to " +
    "the file that is there now",
  torn:
    "was moved, and could not be completed there: put what is at its path " +
    "and -wal beside it, as FILE-wal",
  left: "was moved before it could be opened: a new file begins",
  saved: "was removed: its messages are written to the disk again",
  removed: "was removed",
  replaced: "was replaced by another file, which is used from now on",
  emptied: "was emptied by another program; it begins again",
  cut: "was cut short by another program",
};

/** What a store begins with. */
export interface Opened {
  readonly type: "opened";
  /** Whether the file is open; if it is not, messages wait. */
  readonly isOpen: boolean;
  readonly identity: string;
  readonly lastId: number;
  readonly checkpoints: ReadonlyMap<string, number>;
  /** The epochs of its messages, and the number of the first of each. */
  readonly epochs: readonly (readonly [firstId: number, epoch: string])[];
}

/** What became of a file that is no longer the one at the store's path. */
export interface Succeeded {
  readonly type: "succeeded";
  readonly fate: Fate;
  /** How many of its messages are gone, at most. */
  readonly gone: number;
}

/** Why a store cannot be opened. */
export interface Refused {
  readonly type: "refused";
  readonly reason: string;
  /** Whether that may be over without anything that a user does to the file. */
  readonly isPassing: boolean;
}

/** A report that becomes one line. */
export type Noted =
  | Succeeded
  | { readonly type: "recovered" }
  | { readonly type: "orphan"; readonly path: string }
  | { readonly type: "jumped"; readonly ms: number };

/** What the worker of a store reports. */
export type Report =
  | Opened
  | Noted
  | Refused
  | { readonly type: "failing"; readonly reason: string }
  // The file is open, or must be closed so that another one can be opened.
  | { readonly type: "entered"; readonly identity: string }
  | { readonly type: "leave" }
  | { readonly type: "deleted"; readonly count: number }
  | { readonly type: "stored" | "begun" | "closed" };

/** Describes a report about the store at a path, in one line. */
export function describe(path: string, report: Noted): string {
  const store = quote(path);
  switch (report.type) {
    case "succeeded": {
      const { fate, gone } = report;
      const lost = gone > 0 ? `: at most ${count(gone, "message")} gone` : "";
      return `${store} ${FATES[fate]}${lost}`;
    }
    case "recovered":
      return `messages are stored in ${store} again`;
    case "orphan":
      return `${
        quote(report.path)
      } is the log of another file than ${store}, ` +
        `set aside; put it beside that file, as FILE-wal`;
    case "jumped":
      return `The clock jumped ahead by ${
        Math.round(report.ms / 1000)
      } s; messages in ${store} become older by that in 15 minutes`;
  }
}
