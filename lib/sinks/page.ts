/**
 * A live page of what a collector receives: messages as they come, totals,
 * drops, a chart, and a form that sends a message.
 *
 * {@linkcode page} serves it, and is the sink that its messages come through.
 *
 * @module
 */
import type { Addr, NetAddr } from "../addr.ts";
import { parseAddress } from "../address/address.ts";
import type { Datagram } from "../datagram.ts";
import { failure, InvalidAddressError } from "../errors.ts";
import type { CollectorStats, Message, Past, Sink } from "../sink.ts";
import { accessTo, inUrl, isOnLoopback } from "./page/access.ts";
import { Feeds } from "./page/feeds.ts";
import { Joint } from "./page/joint.ts";
import { Recent } from "./page/recent.ts";
import { routes } from "./page/routes.ts";

const LISTEN = "127.0.0.1:62080";
const RECENT = { messages: 1000, bytes: 8 * 1024 * 1024 };
// What a store has not written yet must be here, so there is room for more.
const BESIDE_STORE = { messages: 10_000, bytes: 8 * 1024 * 1024 };
// For pages to read the last messages before their streams are cut.
const GRACE_MS = 500;

/** What a page shows, and where. */
export interface PageOptions {
  /**
   * `HOST:PORT` to serve it at; port 0 is any free one.
   * @default {"127.0.0.1:62080"}
   */
  listen?: string;
  /**
   * What a browser must know to see the page. Beyond loopback the page is not
   * served without one.
   */
  token?: string;
  /**
   * Messages that can be shown again: a store.
   * @default {the last messages in memory, at most 1,000 of 8 MiB}
   */
  past?: Past;
  /** Gives what has been counted. It is called each second while a page is open. */
  stats: () => Promise<CollectorStats>;
  /**
   * Sends a message to the server itself. It gives the answer, `undefined` when
   * none came in time, and rejects when the message could not be sent.
   */
  send: (text: string) => Promise<Datagram<Addr> | undefined>;
}

/** A page that {@linkcode page} serves: a sink of the name `page`. */
export interface Page extends Sink {
  /** Where it is, with the port that the system chose. */
  readonly url: string;
}

/**
 * Serves a live page of the messages that are written to it. A browser that is
 * slow, or goes away, holds up nothing: `write` returns at once, and the page
 * says how many messages it did not show.
 *
 * Its `stats` are `clients` (pages that are open), `shown` (messages passed on
 * to pages) and `skipped` (left out because too many came, or too fast for the
 * page); a message counts once for each page.
 *
 * @throws {InvalidAddressError} `listen` is not `HOST:PORT`.
 * @throws {TypeError} `listen` is beyond loopback, and there is no token.
 * @throws {Deno.errors.AddrInUse} The port is taken; other reasons not to listen
 * come as the built-in class that fits.
 *
 * @example
 * ```ts
 * import { page } from "@pli/datagram/page";
 * import { bind } from "@pli/datagram";
 *
 * await using socket = bind("udp://127.0.0.1:0");
 * const shown = page({
 *   listen: "127.0.0.1:0",
 *   stats: () => Promise.resolve({ ...socket.stats, sinks: {} }),
 *   send: () => Promise.resolve(undefined),
 * });
 * console.log(`see ${shown.url}`);
 * await shown.close();
 * ```
 */
export function page(options: PageOptions): Page {
  const { listen = LISTEN, token } = options;
  const address = parseListen(listen);
  if (token === "") {
    throw new TypeError(
      `Cannot open the page on ${listen}: the token is empty`,
    );
  }
  if (token === undefined && !isOnLoopback(address.hostname)) {
    throw new TypeError(
      `Cannot open the page on ${listen} without a token: others can reach it there`,
    );
  }
  return new ServedPage(options, address);
}

class ServedPage implements Page {
  readonly name = "page";
  readonly url: string;
  readonly #recent: Recent;
  readonly #feeds: Feeds;
  readonly #handler: Deno.ServeHandler<NetAddr>;
  readonly #server: Deno.HttpServer<NetAddr>;
  readonly #cut = new AbortController();
  // Requests whose response is not all sent.
  readonly #running = new Set<Promise<void>>();
  #closed: Promise<void> | undefined;

  constructor(options: PageOptions, { hostname, port }: NetAddr) {
    const { past: store, stats, send, token } = options;
    const recent = new Recent(store === undefined ? RECENT : BESIDE_STORE);
    const past = store === undefined ? recent : new Joint(store, recent);
    const feeds = new Feeds(past, stats);
    const host = inUrl(hostname);
    try {
      this.#server = Deno.serve({
        hostname,
        port,
        // Deno's own shutdown would wait for who reads slowly or not at all.
        signal: this.#cut.signal,
        onListen: () => {},
      }, (request, info) => {
        this.#note(info.completed);
        return this.#handler(request, info);
      });
    } catch (error) {
      throw failure(`open the page on ${host}:${port}`, error);
    }
    const { addr } = this.#server;
    // It needs the port, and no request can come before this turn ends.
    const access = accessTo({ ...addr, hostname }, token);
    this.#handler = routes({ access, feeds, past, stats, send });
    this.url = `http://${host}:${addr.port}/`;
    this.#recent = recent;
    this.#feeds = feeds;
  }

  get stats(): Readonly<Record<string, number>> {
    return { clients: this.#feeds.size, ...this.#feeds.counts };
  }

  write(messages: readonly Message[]): void {
    this.#recent.add(messages);
  }

  flush(): Promise<void> {
    this.#feeds.flush();
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.#closed ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#feeds.flush();
    await this.#feeds.close();
    await within(GRACE_MS, Promise.all(this.#running));
    this.#cut.abort();
    await this.#server.finished;
  }

  #note(completed: Promise<void>): void {
    const end = () => void this.#running.delete(ended);
    const ended: Promise<void> = completed.then(end, end);
    this.#running.add(ended);
  }
}

/** Waits for something, but not for long. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function parseListen(listen: string): NetAddr {
  try {
    const address = parseAddress(listen);
    if ("port" in address && !listen.includes("/")) return address;
  } catch {
    // What would do is said below.
  }
  throw new InvalidAddressError(listen, `give HOST:PORT, as in "${LISTEN}"`);
}
