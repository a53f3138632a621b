import type { CollectorStats, MessageLog } from "../../sink.ts";
import { EventIds } from "./event_ids.ts";
import { Feed, type FeedCounts } from "./feed.ts";
import type { RateHistory, Rates } from "./rates.ts";

const FLUSH_MS = 100;
const STATS_MS = 1000;
const MAX_FEEDS = 64;

/** The feeds of all open pages. While there is none, no timer runs. */
export class Feeds {
  readonly counts: FeedCounts = { shown: 0, skipped: 0 };
  readonly #feeds = new Set<Feed>();
  readonly #log: MessageLog;
  readonly #ids: EventIds;
  readonly #stats: () => Promise<CollectorStats>;
  #timers: ReturnType<typeof setInterval>[] = [];
  #closed = false;
  #refreshing: Promise<void> | undefined;
  readonly #rates: Rates;
  // Absent while they are not refreshed.
  #latest: { stats: CollectorStats; rates: RateHistory } | undefined;

  constructor(
    log: MessageLog,
    stats: () => Promise<CollectorStats>,
    rates: Rates,
  ) {
    this.#log = log;
    this.#ids = new EventIds(log);
    this.#stats = stats;
    this.#rates = rates;
  }

  /** The number of open pages. */
  get size(): number {
    return this.#feeds.size;
  }

  /** Returns a stream of events for a new page; `undefined` if 64 are open. */
  open(
    lastEventId: string | undefined,
  ): ReadableStream<Uint8Array> | undefined {
    if (this.#closed || this.#feeds.size >= MAX_FEEDS) return undefined;
    const feed: Feed = new Feed(
      this.#log,
      this.#ids,
      this.counts,
      lastEventId,
      () => this.#remove(feed),
    );
    this.#feeds.add(feed);
    this.#try(feed, () => feed.flush());
    if (this.#latest !== undefined) feed.sendIfRoom("stats", this.#latest);
    if (this.#timers.length === 0) this.#start();
    return feed.body;
  }

  /** Sends new messages to all pages that keep up. */
  flush(): void {
    for (const feed of this.#feeds) this.#try(feed, () => feed.flush());
  }

  /** Ends all streams. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const feed of this.#feeds) this.#end(feed);
    await this.#refreshing;
  }

  #start(): void {
    this.#timers = [
      setInterval(() => this.flush(), FLUSH_MS),
      setInterval(() => this.#refresh(), STATS_MS),
    ];
    this.#refresh();
  }

  #refresh(): void {
    this.#refreshing ??= this.#sendStats()
      // The page goes on showing the last ones; /stats reports the error.
      .catch(() => {})
      .finally(() => this.#refreshing = undefined);
  }

  async #sendStats(): Promise<void> {
    const stats = await this.#stats();
    const latest = { stats, rates: this.#rates.history() };
    this.#latest = this.#feeds.size === 0 ? undefined : latest;
    for (const feed of this.#feeds) {
      this.#try(feed, () => feed.sendIfRoom("stats", latest));
    }
  }

  /** Ends a page's stream if the log cannot be read; the page connects again. */
  #try(feed: Feed, run: () => void): void {
    try {
      run();
    } catch {
      this.#end(feed);
    }
  }

  #end(feed: Feed): void {
    this.#remove(feed);
    feed.close();
  }

  #remove(feed: Feed): void {
    this.#feeds.delete(feed);
    if (this.#feeds.size > 0) return;
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#latest = undefined;
  }
}
