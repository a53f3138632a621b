import { count } from "../count.ts";
import { quote } from "../errors.ts";
import type { Sink } from "../sink.ts";
import type { Store } from "../sinks/store.ts";
import { reasonOf } from "../warnings.ts";
import { type Late, LateSink } from "./late_sink.ts";
import { say } from "./program.ts";
import type { Receipts } from "./receipts.ts";
import type { StoreSettings } from "./server_settings.ts";

// How soon it is tried again; each try waits some seconds for others as well.
const RETRY_MS = 500;

/** A store that was opened when the server was running already. */
export interface LateStore extends Late {
  readonly sink: Store;
}

/** The store of a server. */
export interface ServerStore {
  /** Takes the messages, whether it is open or not. */
  readonly sink: Sink;
  /** Present if it is open. */
  readonly store?: Store;
  /** Present if it will be opened; rejects if it turns out that it cannot be. */
  readonly late?: Promise<LateStore>;
}

/**
 * Opens the store. While another server has it, messages wait in memory; if it
 * cannot be opened at all, the server goes on without.
 */
export async function openServerStore(
  { path, receipt, ...keep }: StoreSettings,
  receipts: Receipts | undefined,
): Promise<ServerStore> {
  const { openStore } = await import("../sinks/store.ts");
  const open = () =>
    openStore(path, {
      ...keep,
      durable: receipt,
      onStored: receipts && ((messages) => receipts.send(messages)),
      onTrouble: say,
    });
  try {
    const store = await open();
    return { sink: store, store };
  } catch (error) {
    if (!isPassing(error)) return { sink: instead(path, without(error)) };
    say(`${reasonOf(error)}; messages wait, and are counted`);
    const end = new AbortController();
    const late = openAgain(path, open, end.signal);
    return { sink: instead(path, late, end), late };
  }
}

/** Tries to open it until that succeeds, or turns out to be impossible. */
async function openAgain(
  path: string,
  open: () => Promise<Store>,
  end: AbortSignal,
): Promise<LateStore> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    // Nobody waits for it any more.
    if (end.aborted) return await new Promise(() => {});
    try {
      const sink = await open();
      say(`messages are stored in ${quote(path)} now`);
      return { sink, lastId: sink.lastId };
    } catch (error) {
      if (!isPassing(error)) return await without(error);
    }
  }
}

/** Says that there will be no store. */
function without(error: unknown): Promise<never> {
  say(`${reasonOf(error)}; going on without`);
  return Promise.reject(error);
}

function isPassing(error: unknown): boolean {
  return error instanceof Deno.errors.Busy;
}

/** Stands in for a store that is not open. */
function instead(
  path: string,
  opening: Promise<Late>,
  end?: AbortController,
): Sink {
  return new LateSink("store", opening, {
    counts: ["stored", "waiting", "notStored"],
    refused: "notStored",
    onEnd: (waiting) => {
      end?.abort();
      const messages = count(waiting, "message");
      if (waiting === 0) return;
      say(`${messages} could not be stored in ${quote(path)}`);
    },
  });
}
