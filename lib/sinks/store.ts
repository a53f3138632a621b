/**
 * A sink that stores messages in a SQLite file, and reads them back.
 *
 * @module
 */
import { resolve as absolute } from "node:path";
import { quote } from "../errors.ts";
import { lockFile } from "./store/lock.ts";
import { limitsOf, type StoreOptions } from "./store/options.ts";
import { type Report, SqliteStore, type Store } from "./store/sqlite_store.ts";
import workerCode from "./store/worker.js" with { type: "text" };

export type { StoreOptions } from "./store/options.ts";
export type { Store } from "./store/sqlite_store.ts";
export type { Datagram } from "../datagram.ts";
export type { CheckpointedLog, Message, MessageLog, Sink } from "../sink.ts";

/**
 * Opens a store, or creates one. A worker writes it, so no datagram waits for
 * the disk. One server at a time writes to a store; any number of programs may
 * read it meanwhile.
 *
 * Number the messages from `lastId + 1` on. Needs `--allow-read=PATH
 * --allow-write=PATH`.
 *
 * @throws {Error} The file cannot be opened, is damaged or not a store, or
 * another server is using it. The message is one line.
 * @throws {RangeError} `keepRows` is not a whole number from 1, or `keepMs` is not
 * above 0.
 */
export async function openStore(
  path: string,
  options: StoreOptions = {},
): Promise<Store> {
  const limits = limitsOf(options);
  const lock = lockFile(path);
  // The types are checked with everything else, not at each start.
  const unchecked = workerCode.replace("// @ts-check\n", "");
  const code = new Blob([unchecked], { type: "text/javascript" });
  const url = URL.createObjectURL(code);
  const worker = new Worker(url, { type: "module" });
  const end = () => {
    worker.terminate();
    URL.revokeObjectURL(url);
    lock[Symbol.dispose]();
  };
  const { promise: opened, resolve } = Promise.withResolvers<Report>();
  worker.onmessage = ({ data }) => resolve(data);
  worker.postMessage({
    type: "open",
    path: absolute(path),
    identity: crypto.randomUUID(),
    isDurable: options.durable === true,
    ...limits,
  });
  const report = await opened;
  try {
    if (report.type === "opened") {
      return new SqliteStore(path, worker, end, report.lastId, {
        ...options,
        ...limits,
      });
    }
    const { reason } = report as { reason: string };
    throw new Error(`Cannot store messages in ${quote(path)}: ${reason}`);
  } catch (error) {
    end();
    throw error;
  }
}
