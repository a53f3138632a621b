import type { Addr, NetAddr, UnixAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import type { Datagram } from "../datagram.ts";
import type { CarrierSource } from "../carrier.ts";
import { count } from "../count.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { connect } from "../open.ts";
import type { CollectorStats, Sink } from "../sink.ts";
import type { Store } from "../sinks/store.ts";
import { parseNatsUrl } from "../sinks/nats/url.ts";
import { openForwards } from "./forward_settings.ts";
import { LateSink } from "./late_sink.ts";
import { ownHost } from "./needs.ts";
import { Printer } from "./printer.ts";
import { say } from "./program.ts";
import { Receipts } from "./receipts.ts";
import { readSecret } from "./secrets.ts";
import type { ServerSettings } from "./server_settings.ts";
import { type LateStore, openServerStore } from "./server_store.ts";

// How long the page's form waits for the server's reply.
const ANSWER_MS = 1000;

/** The sinks of a server, open. */
export interface ServerSinks {
  /** In the order in which they get each batch. */
  sinks: Sink[];
  printer: Printer;
  /** The number of the first message. */
  firstId: number;
  /** Where the page is, if there is one. */
  url: string | undefined;
}

/** The parts of a server that its sinks use. */
export interface Surroundings {
  socket: DatagramSocket;
  /** Carries messages from the page's form to the server. */
  own: CarrierSource;
  /** Resolves to the server's counts. */
  stats: () => Promise<CollectorStats>;
  /** Reports an error. */
  warn: (error: unknown) => void;
}

/**
 * Opens the sinks that the settings ask for, and loads no others. If one cannot
 * be opened, those before it are closed again.
 */
export async function openSinks(
  settings: ServerSettings,
  { socket, own, stats, warn }: Surroundings,
): Promise<ServerSinks> {
  const { store: storeSettings, page: pageSettings } = settings;
  const { record, publish, forward, format } = settings;
  const sinks: Sink[] = [];
  await using opened = new AsyncDisposableStack();
  const add = <S extends Sink>(sink: S): S => {
    opened.adopt(sink, (sink) => sink.close());
    sinks.push(sink);
    return sink;
  };
  let store: Store | undefined;
  let late: Promise<LateStore> | undefined;
  if (storeSettings !== undefined) {
    const receipts = storeSettings.receipt
      ? new Receipts(socket, warn)
      : undefined;
    const opened = await openServerStore(storeSettings, receipts);
    // Closed after the store, whose last messages get receipts too.
    if (receipts !== undefined) add(receipts);
    add(opened.sink);
    ({ store, late } = opened);
  }
  if (record !== undefined) {
    const { openRecorder } = await import("../capture.ts");
    const { path, limit } = record;
    const comment = `messages to ${formatAddress(socket.addr)}`;
    const to = socket.addr;
    add(await openRecorder(path, { to, limit, comment, onTrouble: say }));
  }
  let url: string | undefined;
  if (pageSettings !== undefined) {
    const { page } = await import("../sinks/page.ts");
    const { listen, hosts } = pageSettings;
    const token = await readSecret(pageSettings.token);
    const send = (text: string) => ask(socket.addr, own, text);
    ({ url } = add(
      page({ listen, hosts, token, log: store, stats, send, onTrouble: say }),
    ));
  }
  if (publish !== undefined) {
    const { nats } = await import("../sinks/nats.ts");
    const { url, credentials: secret } = publish;
    const credentials = secret && await readSecret(secret);
    const open = (log: Store | undefined) =>
      nats(url, { log, credentials, onTrouble: say });
    add(late === undefined ? open(store) : lateNats(url, late, open));
  }
  if (forward !== undefined) await openForwards(forward, socket, add);
  const isOnly = sinks.length === 0;
  const printer = add(new Printer({ format, isOnly, onTrouble: say }));
  // From here on the collector closes them.
  opened.move();
  return { sinks, printer, firstId: (store?.lastId ?? 0) + 1, url };
}

/** Publishes from a store, so it waits until that is open, or never will be. */
function lateNats(
  url: string,
  store: Promise<LateStore>,
  open: (log: Store | undefined) => Sink,
): Sink {
  const opening = store.then(
    ({ sink, lastId }) => ({ sink: open(sink), lastId }),
    () => ({ sink: open(undefined), lastId: 0 }),
  );
  return new LateSink("nats", opening, {
    counts: [
      "published",
      "duplicates",
      "waiting",
      "overflow",
      "refused",
      "lost",
    ],
    refused: "lost",
    onEnd: (lost) => {
      const messages = count(lost, "message");
      const { host } = new URL(parseNatsUrl(url).destination);
      if (lost > 0) say(`NATS at ${host} did not get ${messages}: lost`);
    },
  });
}

/** Sends the server itself a message, as its page's form does. */
async function ask(
  address: NetAddr | UnixAddr,
  carrier: CarrierSource,
  text: string,
): Promise<Datagram<Addr> | undefined> {
  if ("path" in address) {
    await using client = await connect(address, { carrier });
    await client.send(text);
    return undefined;
  }
  const hostname = ownHost(address.hostname);
  await using client = await connect({ ...address, hostname }, { carrier });
  try {
    return await client.request(text, { timeoutMs: ANSWER_MS });
  } catch (error) {
    if (error instanceof Deno.errors.TimedOut) return undefined;
    throw error;
  }
}
