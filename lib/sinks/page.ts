/**
 * A live web page of the messages that a collector receives, with totals, drops,
 * a chart, and a form that sends a message.
 *
 * {@linkcode page} serves it. It is a sink: the messages are written to it.
 *
 * @module
 */
import type { Addr } from "../addr.ts";
import type { Datagram } from "../datagram.ts";
import type { CollectorStats, Message, MessageLog, Sink } from "../sink.ts";
import { Feeds } from "./page/feeds.ts";
import { Rates } from "./page/rates.ts";
import { routes } from "./page/routes.ts";
import { Site } from "./page/site.ts";
import { Recent } from "./recent.ts";
import { RecentAndStored } from "./recent_and_stored.ts";

export type { Datagram } from "../datagram.ts";
export type { CollectorStats, Message, MessageLog, Sink } from "../sink.ts";

const RECENT = { messages: 1000, bytes: 8 * 1024 * 1024 };
// Messages that a store has not written yet must be in memory.
const BESIDE_STORE = { messages: 10_000, bytes: 8 * 1024 * 1024 };
/** Options of {@linkcode page}. */
export interface PageOptions {
  /**
   * `HOST:PORT` to serve the page at; port 0 is any free one.
   * @default {"127.0.0.1:62080"}
   */
  listen?: string | undefined;
  /**
   * A secret that browsers and programs must present. Required beyond loopback.
   * @default {none}
   */
  token?: string | undefined;
  /**
   * Public names of the page, if a proxy serves it: `NAME`, or `NAME:PORT` if
   * only that port is meant. On loopback the page refuses requests for any name
   * that is neither its own nor one of these.
   * @default {none}
   */
  hosts?: readonly string[] | undefined;
  /**
   * A log of the same messages, under the same numbers: a store. The page shows
   * its messages again, also after a restart.
   * @default {the newest 1,000 messages in memory, at most 8 MiB}
   */
  log?: MessageLog | undefined;
  /** Returns the collector's stats. Called each second while a page is open. */
  stats: () => Promise<CollectorStats>;
  /**
   * Sends a message to the server itself. Resolves with the reply, or with
   * `undefined` if none arrived in time. Rejects if the message could not be
   * sent.
   */
  send: (text: string) => Promise<Datagram<Addr> | undefined>;
  /**
   * Called with one line when the page cannot accept connections, and when it can
   * again. It goes on trying.
   * @default {console.error}
   */
  onTrouble?: ((line: string) => void) | undefined;
}

/** A page that {@linkcode page} serves: a sink of the name `page`. */
export interface Page extends Sink {
  /**
   * The page's URL, with the port that the system chose. It can be opened on this
   * machine, and contains no token: the page asks for it.
   */
  readonly url: string;
}

/**
 * Serves a live page of the messages that are written to it. A slow browser
 * delays nothing: `write` returns at once, and the page states how many messages
 * it skipped.
 *
 * Its `stats` are `shown` (messages that were sent to a browser), `skipped` (left
 * out because there were too many for the page, or for that browser) and
 * `clients`, the number of browsers: all tabs of one share a stream. A message is
 * counted once per browser.
 *
 * Needs `--allow-net` for `listen`.
 *
 * @throws {InvalidAddressError} `listen` is not `HOST:PORT`, or a host is not one.
 * @throws {TypeError} `listen` is beyond loopback and there is no token, or the
 * token is empty.
 * @throws {Deno.errors.AddrInUse} The port is taken. Other failures to listen
 * have the built-in class that fits.
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
 * console.log(`page at ${shown.url}`);
 * await shown.close();
 * ```
 */
export function page(options: PageOptions): Page {
  return new ServedPage(options);
}

class ServedPage implements Page {
  readonly name = "page";
  readonly gauges: readonly string[] = ["clients"];
  readonly url: string;
  readonly #recent: Recent;
  readonly #feeds: Feeds;
  readonly #rates = new Rates();
  readonly #site: Site;
  #closed: Promise<void> | undefined;

  constructor(options: PageOptions) {
    const { log: stored, stats, send } = options;
    const recent = new Recent(stored === undefined ? RECENT : BESIDE_STORE);
    const log = stored === undefined
      ? recent
      : new RecentAndStored(recent, stored);
    const feeds = new Feeds(log, stats, this.#rates);
    this.#site = new Site(
      options,
      (access) => routes({ access, feeds, log, stats, send }),
    );
    this.url = this.#site.url;
    this.#recent = recent;
    this.#feeds = feeds;
  }

  get stats(): Readonly<Record<string, number>> {
    return { clients: this.#feeds.size, ...this.#feeds.counts };
  }

  write(messages: readonly Message[]): void {
    this.#recent.add(messages);
    this.#rates.add(messages.length);
  }

  flush(): Promise<void> {
    this.#feeds.flush();
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.#closed ??= this.#site.close(async () => {
      this.#feeds.flush();
      await this.#feeds.close();
    });
  }
}
