/**
 * A sink that stores messages in a SQLite file, and reads them back.
 *
 * @module
 */
import { requireDeno } from "../runtime.ts";
import { resolve as absolute } from "node:path";
import { errors, quote } from "../errors.ts";
import { isSame, statOf } from "./store/file.js";
import { limitsOf, type StoreOptions } from "./store/options.ts";
import type { Refused, Report } from "./store/reports.ts";
import { SqliteStore, type Store } from "./store/sqlite_store.ts";
import { workerCode } from "./store/worker_code.ts";

export type { StoreOptions } from "./store/options.ts";
export type { Store, StoreStats } from "./store/sqlite_store.ts";
export type { Datagram } from "../datagram.ts";
export type { CheckpointedLog, Message, MessageLog, Sink } from "../sink.ts";

// Opened by this process. To open a file again would end SQLite's locks on it.
const open = new Set<string>();

/**
 * Opens a store, or creates one. A worker writes it, so no datagram waits for
 * the disk. One server at a time writes to a store; any number of programs may
 * read it meanwhile.
 *
 * Number the messages from `lastId + 1` on. Needs `--allow-read=PATH
 * --allow-write=PATH`. If it may also read and write PATH-wal, PATH-shm and
 * PATH-wal.orphan, it sets a log aside that another file has left there.
 *
 * A full disk does not prevent it: messages then wait. A server that is ending is
 * waited for, up to six seconds. Others may move, remove or replace the file
 * while the store is open; `onTrouble` then gets a line.
 *
 * @throws {Deno.errors.Busy} Another server is using it, or it cannot be opened
 * now: a later call may succeed.
 * @throws {Error} The file cannot be opened, is damaged or not a store. The
 * message is one line.
 * @throws {RangeError} `keepRows` is not a whole number from 1, or `keepMs` is not
 * above 0.
 */
export async function openStore(
  path: string,
  options: StoreOptions = {},
): Promise<Store> {
  requireDeno("The store");
  const limits = limitsOf(options);
  const name = absolute(path);
  const cannot = `Cannot store messages in ${quote(path)}`;
  if (isOpen(name)) {
    throw new errors.Busy(`${cannot}: another server is using it`);
  }
  open.add(name);
  const code = workerCode();
  const worker = new Worker(code.url, { type: "module" });
  const end = () => {
    worker.terminate();
    code[Symbol.dispose]();
    open.delete(name);
  };
  const { promise: opened, resolve } = Promise.withResolvers<Report>();
  worker.onmessage = ({ data }) => resolve(data);
  const epoch = crypto.randomUUID();
  worker.postMessage({
    type: "open",
    path: name,
    identity: crypto.randomUUID(),
    epoch,
    isDurable: options.durable === true,
    ...limits,
  });
  const report = await opened;
  if (report.type === "opened") {
    const { lastId, epochs } = report;
    const all = [...epochs, [lastId + 1, epoch] as const];
    return new SqliteStore(path, worker, end, { ...report, epochs: all }, {
      ...options,
      ...limits,
    });
  }
  end();
  const { reason, isPassing } = report as Refused;
  throw new (isPassing ? errors.Busy : Error)(`${cannot}: ${reason}`);
}

/** Whether this process has the file open, by whatever name. */
function isOpen(name: string): boolean {
  if (open.has(name)) return true;
  if (open.size === 0) return false;
  try {
    const there = statOf(name);
    return there !== undefined &&
      [...open].some((other) => isSame(there, statOf(other)));
  } catch {
    // Whoever opens it says why.
    return false;
  }
}
