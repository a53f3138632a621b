// @ts-check
// Writes a store, in a worker, so that no datagram waits for a commit or for
// SQLite's own checkpoints. It is started from its text, so that it needs no
// permission to read its file.
import { Database, stateWithoutWriting } from "./database.js";
import { setOrphanAside, statOf, StoreFile, TakenError } from "./file.js";
import { isPassing, reasonOf } from "./reasons.js";
import { SteadyClock } from "./steady_clock.js";

/**
 * @typedef {import("./database.js").Batch} Batch
 * @typedef {import("./database.js").Start} Start
 *
 * @typedef {{ type: "open", path: string, identity: string, epoch: string,
 *   isDurable: boolean, keepRows: number, keepMs: number } |
 *   { type: "write", batch: Batch } |
 *   { type: "checkpoint", destination: string, id: number } |
 *   { type: "epoch", firstId: number, epoch: string } |
 *   { type: "left" } |
 *   { type: "close" }} Order
 *
 * @typedef {{ batch: Batch, isStored: boolean } |
 *   { destination: string, id: number } |
 *   { firstId: number, epoch: string } |
 *   { prune: true } |
 *   { look: true }} Task
 */

// When a failed task is tried again.
const RETRY_MS = 500;
// How often the file is compared with its path while nothing is written, and
// the log is folded into it.
const LOOK_MS = 500;
const PRUNE_EVERY_MS = 1000;
// How long a server that is just ending may keep the file.
const TAKEN_MS = 6000;
const TAKEN_RETRY_MS = 100;
// How often the end tries to fold the log of a file that was moved.
const MAX_FOLDS = 10;
// What is kept of the messages that were stored since the last checkpoint, and as
// much of those before: a file that others empty no longer holds them.
const MAX_KEPT_BYTES = 4 * 1024 * 1024;

/** @type {Extract<Order, { type: "open" }>} */
let settings;
/** @type {StoreFile | undefined} */
let file;
/** @type {Database | undefined} */
let database;
/** What the next file would begin with. @type {Start} */
let state;
/** Logs of other files, set aside and not reported yet. @type {string[]} */
const orphans = [];
/** What became of the file before, while that is not reported. */
/** @type {{ fate: "moved" | "saved" | "emptied" | "replaced", size: number } | undefined} */
let predecessor;
/** @type {SteadyClock | undefined} */
let clock;
/** @type {Task[]} */
const waiting = [];
/** @type {[before: Batch[], since: Batch[]]} */
let kept = [[], []];
let keptBytes = 0;
// Whether another program cut the file: what it holds is of no use.
let isCut = false;
let isDirty = false;
// Whether the file was moved at the end, and is complete.
let isFolded = false;
// Whether messages have got their numbers already.
let isNumbered = false;
let isFailing = false;
let isClosing = false;
let isWorking = false;
/** @type {Promise<void> | undefined} */
let working;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let retry;
/** Called when the other thread has closed the file. */
/** @type {(() => void) | undefined} */
let onLeft;

/** @type {{
 *   postMessage(message: object): void,
 *   onmessage: (event: { data: Order }) => void,
 * }} */
const main = /** @type {never} */ (self);

main.onmessage = ({ data: order }) => {
  switch (order.type) {
    case "open":
      return void start(order);
    case "write":
      waiting.push({ batch: order.batch, isStored: false });
      return void work();
    case "checkpoint":
    case "epoch":
      waiting.push(order);
      return void work();
    case "left":
      return onLeft?.();
    case "close":
      return void close();
  }
};

/** @param {Extract<Order, { type: "open" }>} order */
async function start(order) {
  settings = order;
  state = {
    identity: order.identity,
    lastId: 0,
    checkpoints: new Map(),
    epochs: [],
  };
  const deadline = performance.now() + TAKEN_MS;
  let failure;
  for (;;) {
    try {
      open();
      break;
    } catch (error) {
      failure = error;
      if (!(error instanceof TakenError)) break;
      if (performance.now() >= deadline) return refuse(error);
      await pause(TAKEN_RETRY_MS);
    }
  }
  if (database === undefined) {
    if (!isPassing(failure)) return refuse(failure);
    try {
      if ((statOf(order.path)?.size ?? 0) > 0) {
        state = stateWithoutWriting(order.path) ?? state;
      }
    } catch {
      return refuse(failure);
    }
  }
  isNumbered = true;
  const isOpen = database !== undefined;
  main.postMessage({ type: "opened", isOpen, ...state });
  reportOrphans();
  if (!isOpen) fail(failure);
  setInterval(look, LOOK_MS);
  if (order.keepMs === Infinity && order.keepRows === Infinity) return;
  const latest = database?.latest;
  clock = new SteadyClock(Date.now(), performance.now(), latest);
  setInterval(prune, PRUNE_EVERY_MS);
}

/** @param {unknown} error */
function refuse(error) {
  main.postMessage({ type: "refused", reason: reasonOf(error) });
}

/** Opens the file at the path, or creates it. */
function open() {
  const { path } = settings;
  // Another one may be there now.
  if (file !== undefined && file.look() !== "same") {
    file.close();
    file = undefined;
  }
  if (file === undefined) {
    const orphan = setOrphanAside(path);
    if (orphan !== undefined) orphans.push(orphan);
    file = new StoreFile(path);
  }
  const next = new Database(path, settings, state);
  if (isNumbered && next.lastId > state.lastId) {
    next.close();
    throw new Error(
      "another store is in its place, with higher numbers; move it away",
    );
  }
  database = next;
  state = next.state;
  file.rememberLog();
}

function reportOrphans() {
  for (const path of orphans.splice(0)) {
    main.postMessage({ type: "orphan", path });
  }
}

/** Does everything that waits, each batch in one transaction. */
function work() {
  if (isWorking || retry !== undefined) return working;
  isWorking = true;
  return working = workOff();
}

async function workOff() {
  try {
    for (;;) {
      const [next] = waiting;
      if (next === undefined) return;
      await perform(next);
      waiting.shift();
      reportDeleted();
      if (isFailing) main.postMessage({ type: "recovered" });
      isFailing = false;
      if ("batch" in next) main.postMessage({ type: "stored" });
      if ("firstId" in next) main.postMessage({ type: "begun" });
    }
  } catch (error) {
    fail(error);
  } finally {
    // At once: a message may come before anybody who waits goes on.
    isWorking = false;
  }
}

function reportDeleted() {
  const count = database?.deleted ?? 0;
  if (database === undefined || count === 0) return;
  database.deleted = 0;
  main.postMessage({ type: "deleted", count });
}

/** @param {unknown} error */
function fail(error) {
  main.postMessage({ type: "failing", reason: reasonOf(error) });
  isFailing = true;
  if (isClosing) return;
  retry = setTimeout(() => {
    retry = undefined;
    void work();
  }, RETRY_MS);
}

/**
 * Performs a task. When it returns, the file at the path holds the result.
 *
 * @param {Task} task
 */
async function perform(task) {
  const { file, database } = await settled();
  try {
    if ("look" in task) {
      if (isDirty) fold(database);
    } else if ("prune" in task) {
      deleteOld(database);
    } else if ("destination" in task) {
      const { destination, id } = task;
      database.saveCheckpoint(destination, id);
      state.checkpoints.set(destination, id);
      isDirty = true;
    } else if ("firstId" in task) {
      const { firstId, epoch } = task;
      database.saveEpoch(firstId, epoch);
      settings = { ...settings, epoch };
      isDirty = true;
    } else if (!task.isStored) {
      database.store(task.batch);
      task.isStored = true;
      state.lastId = database.lastId;
      isDirty = true;
      keep(task.batch, database);
    }
  } catch (error) {
    // Whatever happens in a file that others have changed is due to that.
    if (file.look() === "same") throw error;
  }
  // Nothing is reported as stored unless it is still there.
  if (file.look() !== "same") await perform(task);
}

/**
 * Sees to it that the file at the path is the one that is open.
 *
 * @throws That is not possible now.
 */
async function settled() {
  for (;;) {
    if (database === undefined) {
      open();
      main.postMessage({ type: "entered", identity: state.identity });
      reportOrphans();
    }
    if (database === undefined || file === undefined) throw new Error("closed");
    if (predecessor !== undefined) takeOver(database);
    const change = file.look();
    if (change === "same") return { file, database };
    await leave(change, file, database);
  }
}

/**
 * Closes a file that is no longer at its path. Only then another one is opened
 * there: it would share the log.
 *
 * @param {Exclude<ReturnType<StoreFile["look"]>, "same">} change
 * @param {StoreFile} from
 * @param {Database} old
 */
async function leave(change, from, old) {
  if (change === "cut") {
    isCut = true;
    throw new Error("another program cut it short; move it away");
  }
  await othersLeft();
  const isWhole = !isCut && change !== "emptied";
  const { size } = old;
  if (isWhole && change === "moved") {
    old.foldLog();
    predecessor = { fate: "moved", size: 0 };
  } else if (isWhole && change === "removed" && await save(old)) {
    predecessor = { fate: "saved", size: 0 };
  } else {
    predecessor = { fate: change === "emptied" ? change : "replaced", size };
  }
  old.close();
  if (predecessor.fate === "moved") from.markWithoutLog();
  // SQLite has folded its log into what is no database any more.
  if (change === "emptied") from.empty();
  from.removeLog();
  from.close();
  if (predecessor.fate !== "saved") {
    state = { ...state, identity: crypto.randomUUID() };
  }
  database = file = undefined;
  isCut = false;
}

/** Waits until the other thread has closed the file. */
async function othersLeft() {
  if (isClosing) return;
  const { promise, resolve } = Promise.withResolvers();
  onLeft = () => resolve(undefined);
  main.postMessage({ type: "leave" });
  await promise;
  onLeft = undefined;
}

/**
 * Writes a removed file to the disk again, unless another one is in its place.
 *
 * @param {Database} removed
 */
async function save(removed) {
  const { path } = settings;
  if ((statOf(path)?.size ?? 0) > 0) return false;
  try {
    await removed.saveTo(path);
    return true;
  } catch (error) {
    // A half of it must not be taken for a file of somebody else.
    if (statOf(path) !== undefined) Deno.truncateSync(path);
    throw error;
  }
}

/** Writes again what is lost with the file before. @param {Database} next */
function takeOver(next) {
  if (predecessor === undefined) return;
  const { fate, size } = predecessor;
  const before = next.size === 0 ? 0 : next.lastId;
  let gone = size;
  if (size > 0) {
    for (const batch of kept.flat()) {
      next.store(batch, true);
      gone -= batch.ids.filter((id) => id > before).length;
    }
  }
  predecessor = undefined;
  isDirty = true;
  main.postMessage({ type: "succeeded", fate, gone: Math.max(0, gone) });
}

/**
 * @param {Batch} batch
 * @param {Database} database
 */
function keep(batch, database) {
  kept[1].push(batch);
  keptBytes += batch.data.length + 64 * batch.ids.length;
  if (keptBytes > MAX_KEPT_BYTES) fold(database);
}

/** Folds the log into the file. @param {Database} database */
function fold(database) {
  kept = [kept[1], []];
  keptBytes = 0;
  database.checkpoint();
  isDirty = kept[0].length > 0;
}

/** Looks after the file while nothing is written. */
function look() {
  if (waiting.length > 0) return;
  waiting.push({ look: true });
  void work();
}

function prune() {
  if (isFailing || waiting.some((task) => "prune" in task)) return;
  waiting.push({ prune: true });
  void work();
}

/** Deletes a part of what is too old, and then goes on with what waits. */
/** @param {Database} database */
function deleteOld(database) {
  const { deleted } = database;
  const { time = 0, jumpMs = 0 } = clock?.read(Date.now(), performance.now()) ??
    {};
  if (jumpMs > 0) main.postMessage({ type: "jumped", ms: jumpMs });
  try {
    const hasMore = database.prune(time - settings.keepMs);
    if (hasMore) waiting.push({ prune: true });
  } catch {
    // It is tried again. A full disk is reported when a batch cannot be stored.
  }
  if (database.deleted > deleted) isDirty = true;
}

async function close() {
  isClosing = true;
  onLeft?.();
  clearTimeout(retry);
  retry = undefined;
  await working;
  await work();
  try {
    await end();
  } catch (error) {
    fail(error);
    const fate = file === undefined ? predecessor?.fate : file.look();
    const gone = predecessor?.size ?? database?.size;
    if (fate !== "moved") main.postMessage({ type: "succeeded", fate, gone });
  }
  database?.close();
  if (isFolded) file?.markWithoutLog();
  file?.close();
  main.postMessage({ type: "closed" });
}

/** Sees to it that nothing is lost when the file is closed. */
async function end() {
  if (database === undefined || file === undefined) return;
  const change = file.look();
  if (change === "same") return;
  if (change !== "moved" || isCut) return void await settled();
  for (let n = 1;; n++) {
    try {
      database.foldLog();
      return void (isFolded = true);
    } catch (error) {
      if (n === MAX_FOLDS) throw error;
    }
  }
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
