// @ts-check
// Writes a store, in a worker, so that no datagram waits for a commit or for
// SQLite's own checkpoints. It is started from its text, so that it needs no
// permission to read its file.
import { TakenError } from "./file.js";
import { Place } from "./place.js";
import { isPassing, reasonOf } from "./reasons.js";
import { SteadyClock } from "./steady_clock.js";

/**
 * @typedef {import("./rows.js").Batch} Batch
 *
 * @typedef {{ type: "open", keepMs: number } & import("./place.js").Settings |
 *   { type: "write", batch: Batch } |
 *   { type: "checkpoint", destination: string, id: number } |
 *   { type: "epoch", firstId: number, epoch: string } |
 *   { type: "left" } |
 *   { type: "close" }} Order
 *
 * @typedef {{ type: "write", batch: Batch, isStored?: boolean } |
 *   { type: "checkpoint", destination: string, id: number } |
 *   { type: "epoch", firstId: number, epoch: string } |
 *   { type: "prune" } |
 *   { type: "look" }} Task
 */

// When a failed task is tried again.
const RETRY_MS = 500;
// How often the file is compared with its path while nothing is written, and
// the log is folded into it.
const LOOK_MS = 500;
const PRUNE_MS = 1000;
// How long a server that is just ending may keep the file.
const TAKEN_MS = 6000;
const TAKEN_RETRY_MS = 100;

/** @type {Place} */
let place;
/** @type {SteadyClock} */
let clock;
let keepMs = Infinity;
/** @type {Task[]} */
const waiting = [];
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
    case "left":
      return onLeft?.();
    case "close":
      return void close();
    default:
      waiting.push(order);
      return void work();
  }
};

/** @param {Extract<Order, { type: "open" }>} order */
async function start(order) {
  ({ keepMs } = order);
  place = new Place(order, report, othersLeft);
  const failure = await open();
  if (failure !== undefined && !(isPassing(failure) && place.readState())) {
    return report({
      type: "refused",
      reason: reasonOf(failure),
      isPassing: failure instanceof TakenError || isPassing(failure),
    });
  }
  place.isNumbered = true;
  const isOpen = failure === undefined;
  report({ type: "opened", isOpen, ...place.state });
  place.reportOrphans();
  if (!isOpen) fail(failure);
  every(LOOK_MS, { type: "look" });
  if (keepMs === Infinity && order.keepRows === Infinity) return;
  const latest = place.database?.latest;
  clock = new SteadyClock(Date.now(), performance.now(), latest);
  every(PRUNE_MS, { type: "prune" });
}

/** Opens the file. Waits for others that may let go of it. @returns Its failure. */
async function open() {
  const deadline = performance.now() + TAKEN_MS;
  for (;;) {
    try {
      return place.open();
    } catch (error) {
      const isTaken = error instanceof TakenError ||
        isPassing(error) && !place.readState();
      if (!isTaken || performance.now() >= deadline) return error;
      await new Promise((resolve) => setTimeout(resolve, TAKEN_RETRY_MS));
    }
  }
}

/** Waits until the other thread has closed the file. */
async function othersLeft() {
  if (isClosing) return;
  const { promise, resolve } = Promise.withResolvers();
  onLeft = () => resolve(undefined);
  report({ type: "leave" });
  await promise;
  onLeft = undefined;
}

/** @param {Record<string, unknown>} message */
function report(message) {
  main.postMessage(message);
}

/** Does a task again and again, unless it waits already. */
/** @param {number} ms @param {Task} task */
function every(ms, task) {
  setInterval(() => {
    if (isClosing) return;
    if (!waiting.includes(task)) waiting.push(task);
    void work();
  }, ms);
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
      if (isFailing) report({ type: "recovered" });
      isFailing = false;
      if (next.type === "write") report({ type: "stored" });
      if (next.type === "epoch") report({ type: "begun" });
      reportDeleted();
    }
  } catch (error) {
    fail(error);
  } finally {
    // At once: a message may come before anybody who waits goes on.
    isWorking = false;
  }
}

/** @param {unknown} error */
function fail(error) {
  report({ type: "failing", reason: reasonOf(error) });
  isFailing = true;
  if (isClosing) return;
  retry = setTimeout(() => {
    retry = undefined;
    void work();
  }, RETRY_MS);
}

/** @param {Task} task */
function perform(task) {
  switch (task.type) {
    case "write":
      return place.change((database) => {
        if (task.isStored) return;
        database.store(task.batch);
        task.isStored = true;
        place.keep(task.batch);
      });
    case "checkpoint":
      return place.change((database) => {
        database.saveCheckpoint(task.destination, task.id);
        place.state.checkpoints.set(task.destination, task.id);
      });
    case "epoch":
      return place.beginEpoch(task.firstId, task.epoch);
    case "prune":
      return prune();
    case "look":
      return place.lookAfter();
  }
}

/** Deletes a part of what is too old, and then lets what waits go on. */
async function prune() {
  const { time, jumpMs } = clock.read(Date.now(), performance.now());
  if (jumpMs > 0) report({ type: "jumped", ms: jumpMs });
  try {
    let hasMore = false;
    await place.change((database) => {
      hasMore = database.prune(time - keepMs);
    });
    if (hasMore) waiting.push({ type: "prune" });
  } catch {
    // It is tried again. A full disk is reported when a batch cannot be stored.
  }
}

function reportDeleted() {
  const count = place.database?.takeDeleted() ?? 0;
  if (count > 0) report({ type: "deleted", count });
}

async function close() {
  isClosing = true;
  onLeft?.();
  clearTimeout(retry);
  retry = undefined;
  await working;
  await work();
  try {
    await place.close();
  } catch (error) {
    fail(error);
  }
  reportDeleted();
  report({ type: "closed" });
}
