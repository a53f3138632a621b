import type { DatagramSocket } from "../datagram_socket.ts";
import type { Message, Past, Sink } from "../sink.ts";
import { Printer } from "./printer.ts";
import { type Complaints, say } from "./program.ts";
import { Receipts } from "./receipts.ts";
import type { Settings, StoreSettings } from "./server_options.ts";

/** Where a server's messages go. */
export interface ServerSinks {
  /** In the order in which they get each batch. */
  sinks: Sink[];
  printer: Printer;
  /** The number of the first message. */
  firstId: number;
}

/** Opens what the settings ask for; what nobody asked for is not even loaded. */
export async function openSinks(
  settings: Settings,
  socket: DatagramSocket,
  complaints: Complaints,
): Promise<ServerSinks> {
  const sinks: Sink[] = [];
  let past: Past | undefined;
  if (settings.store !== undefined) {
    const { receipt } = settings.store;
    const receipts = receipt
      ? new Receipts(socket, (error) => complaints.say(error.message))
      : undefined;
    const store = await openStore(settings.store, receipts);
    sinks.push(store);
    if (receipts !== undefined) sinks.push(receipts);
    if ("lastId" in store) past = store;
  }
  const printer = new Printer(settings.format);
  sinks.push(printer);
  return { sinks, printer, firstId: (past?.lastId ?? 0) + 1 };
}

/** The store; or, where it cannot be opened, what counts that nothing is kept. */
async function openStore(
  { path, receipt, ...keep }: StoreSettings,
  receipts: Receipts | undefined,
): Promise<Sink & Past | Sink> {
  const { openStore } = await import("../sinks/store.ts");
  try {
    return await openStore(path, {
      ...keep,
      durable: receipt,
      onKept: receipts && ((messages) => receipts.send(messages)),
      onTrouble: say,
    });
  } catch (error) {
    say(`${(error as Error).message}; going on without`);
    return new Unkept();
  }
}

/** In the place of a store that could not be opened. */
class Unkept implements Sink {
  readonly name = "store";
  #notKept = 0;

  get stats() {
    return { kept: 0, waiting: 0, notKept: this.#notKept };
  }

  write({ length }: readonly Message[]): void {
    this.#notKept += length;
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
