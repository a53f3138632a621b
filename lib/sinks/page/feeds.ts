import type { CollectorStats, Past } from "../../sink.ts";
import { EventIds } from "./event_ids.ts";
import { Feed, type FeedCounts } from "./feed.ts";

const FLUSH_MS = 100;
const STATS_MS = 1000;
const MAX_FEEDS = 64;

/** All pages that are open. Without any, no timer runs and nothing is asked. */
export class Feeds {
  readonly counts: FeedCounts = { shown: 0, skipped: 0 };
  readonly #feeds = new Set<Feed>();
  readonly #past: Past;
  readonly #ids: EventIds;
  readonly #stats: () => Promise<CollectorStats>;
  #timers: ReturnType<typeof setInterval>[] = [];
  #closed = false;
  #asking: Promise<void> | undefined;
  // The newest stats, with the time at which they were true.
  #latest: { time: number; stats: CollectorStats } | undefined;

  constructor(past: Past, stats: () => Promise<CollectorStats>) {
    this.#past = past;
    this.#ids = new EventIds(past);
    this.#stats = stats;
  }

  /** How many pages are open. */
  get size(): number {
    return this.#feeds.size;
  }

  /** A new page's stream of events; `undefined` when there are 64 already. */
  open(
    lastEventId: string | undefined,
  ): ReadableStream<Uint8Array> | undefined {
    if (this.#closed || this.#feeds.size >= MAX_FEEDS) return undefined;
    const feed: Feed = new Feed(
      this.#past,
      this.#ids,
      this.counts,
      lastEventId,
      () => this.#remove(feed),
    );
    this.#feeds.add(feed);
    this.#try(feed, () => feed.flush());
    if (this.#latest !== undefined) feed.tell("stats", this.#latest);
    if (this.#timers.length === 0) this.#start();
    return feed.body;
  }

  /** Passes on what came, to all pages that keep up. */
  flush(): void {
    for (const feed of this.#feeds) this.#try(feed, () => feed.flush());
  }

  /** Ends all streams. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const feed of this.#feeds) this.#end(feed);
    await this.#asking;
  }

  #start(): void {
    this.#timers = [
      setInterval(() => this.flush(), FLUSH_MS),
      setInterval(() => this.#ask(), STATS_MS),
    ];
    this.#ask();
  }

  #ask(): void {
    this.#asking ??= this.#tellStats()
      // The page shows what it knew; /stats says what is wrong.
      .catch(() => {})
      .finally(() => this.#asking = undefined);
  }

  async #tellStats(): Promise<void> {
    const stats = await this.#stats();
    const latest = { time: Date.now(), stats };
    // Without a page nobody keeps them up to date.
    this.#latest = this.#feeds.size === 0 ? undefined : latest;
    for (const feed of this.#feeds) {
      this.#try(feed, () => feed.tell("stats", latest));
    }
  }

  /** A store that cannot be read ends the page's stream; the page comes back. */
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
