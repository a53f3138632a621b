import type { Message, Past } from "../../sink.ts";
import type { EventIds } from "./event_ids.ts";
import { type MessageJson, previewJson, stringify } from "./json.ts";

/** How many messages a page shows at most, and starts with. */
const FIRST_MESSAGES = 500;
/** How many a page that was away gets; the others it is told of. */
const GAP_MESSAGES = 1000;
// One event in one flush, so that a page that catches up holds up nothing.
const EVENT_MESSAGES = 250;
const EVENT_BYTES = 64 * 1024;
// What waits in the server for one browser, beyond the system's own buffer.
const WAITING_BYTES = 128 * 1024;
// A flush is each 100 ms: 300 messages a second, and at once a thousand more.
const MESSAGES_PER_FLUSH = 30;
const MESSAGES_AT_ONCE = 1000;

const encoder = new TextEncoder();

/** What all feeds have counted together. */
export interface FeedCounts {
  /** Messages that were passed on, once for each page. */
  shown: number;
  /** Messages that were not: left out of a sample, or the page was too slow. */
  skipped: number;
}

/**
 * What one page gets: a stream of server-sent events. It knows the number of
 * the last message that it told of, and reads on from there in the past, so it
 * needs no queue of its own, and nothing is missing or comes twice.
 */
export class Feed {
  /** The body of the response. */
  readonly body: ReadableStream<Uint8Array>;
  readonly #past: Past;
  readonly #ids: EventIds;
  readonly #counts: FeedCounts;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  // The last message that it told of, shown or not.
  #lastId: number;
  // Up to that one nothing is left out, however fast it comes.
  #catchUpTo: number;
  // Not yet told.
  #skipped = 0;
  #allowed = MESSAGES_AT_ONCE;
  #late = false;

  /**
   * @param lastEventId The id of the last event that the page got.
   * @param onEnd Called when the page has gone.
   */
  constructor(
    past: Past,
    ids: EventIds,
    counts: FeedCounts,
    lastEventId: string | undefined,
    onEnd: () => void,
  ) {
    this.#past = past;
    this.#ids = ids;
    this.#counts = counts;
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      cancel: onEnd,
    }, { highWaterMark: WAITING_BYTES, size: (chunk) => chunk.byteLength });
    this.#lastId = this.#catchUpTo = past.lastId;
    this.#send("retry: 1000\n\n");
    const seen = ids.numberOf(lastEventId);
    if (seen !== undefined) {
      this.#lastId = seen;
      this.#catchUp();
    } else {
      if (lastEventId !== undefined) this.#event("reset", {});
      const first = past.after(past.lastId - FIRST_MESSAGES, 1)[0];
      if (first !== undefined) this.#lastId = first.id - 1;
    }
    this.#event("start", { skipped: this.#takeSkipped() }, this.#lastId);
  }

  /** Passes on what came since. To be called each 100 ms. */
  flush(): void {
    if (!this.#hasRoom) {
      this.#late = true;
      return;
    }
    if (this.#late) {
      this.#late = false;
      this.#catchUp();
    }
    this.#allowed = Math.min(
      MESSAGES_AT_ONCE,
      this.#allowed + MESSAGES_PER_FLUSH,
    );
    const { lastId } = this.#past;
    const pending = lastId - this.#lastId;
    if (pending <= 0) return;
    if (this.#lastId < this.#catchUpTo) this.#all(this.#catchUpTo);
    else if (pending <= this.#allowed) this.#allowed -= this.#all(lastId);
    else this.#allowed -= this.#sample(lastId);
  }

  /** Sends an event that does not matter much: a page that is slow misses it. */
  tell(name: string, data: unknown): void {
    if (this.#hasRoom) this.#event(name, data);
  }

  /** Ends the stream; what a slow page has not read yet is not sent. */
  close(): void {
    if (this.#hasRoom) this.#controller.close();
    else this.#controller.error(new Error("the page is closed"));
  }

  get #hasRoom(): boolean {
    return (this.#controller.desiredSize ?? 0) > 0;
  }

  /** From here on nothing is left out, but what is too long ago. */
  #catchUp(): void {
    this.#catchUpTo = this.#past.lastId;
    const tooMany = this.#catchUpTo - this.#lastId - GAP_MESSAGES;
    if (tooMany <= 0) return;
    this.#lastId += tooMany;
    this.#skip(tooMany);
  }

  /** Passes on the next messages, and tells of those that are not there. */
  #all(upTo: number): number {
    const limit = Math.min(upTo - this.#lastId, EVENT_MESSAGES);
    const messages = this.#past.after(this.#lastId, limit);
    const previews = inOneEvent(messages);
    const newest = messages.at(previews.length - 1)?.id ?? 0;
    // Fewer than were asked for: the others are not kept any more.
    const ended = messages.length < limit &&
      previews.length === messages.length;
    const lastId = ended ? Math.max(upTo, newest) : newest;
    this.#skip(lastId - this.#lastId - previews.length);
    this.#messages(previews, lastId, 1);
    return previews.length;
  }

  /** Passes on as many as are allowed, evenly spread, and tells one of how many. */
  #sample(upTo: number): number {
    const most = Math.min(this.#allowed, EVENT_MESSAGES);
    const oldest = Math.max(this.#lastId, upTo - GAP_MESSAGES);
    const messages = this.#past.after(oldest, GAP_MESSAGES);
    const previews = inOneEvent(spread(messages, most));
    const lastId = messages.at(-1)?.id ?? upTo;
    const came = lastId - this.#lastId;
    this.#counts.skipped += came - previews.length;
    this.#messages(previews, lastId, came / Math.max(1, previews.length));
    return previews.length;
  }

  #skip(messages: number): void {
    this.#skipped += messages;
    this.#counts.skipped += messages;
  }

  #takeSkipped(): number {
    const skipped = this.#skipped;
    this.#skipped = 0;
    return skipped;
  }

  #messages(messages: MessageJson[], lastId: number, oneOf: number): void {
    this.#counts.shown += messages.length;
    this.#lastId = lastId;
    const skipped = this.#takeSkipped();
    this.#event("messages", { messages, skipped, oneOf }, lastId);
  }

  #event(name: string, data: unknown, id?: number): void {
    const idLine = id === undefined ? "" : `id: ${this.#ids.idOf(id)}\n`;
    this.#send(`${idLine}event: ${name}\ndata: ${stringify(data)}\n\n`);
  }

  #send(text: string): void {
    this.#controller.enqueue(encoder.encode(text));
  }
}

/** As many as one event holds, and one at least. */
function inOneEvent(messages: readonly Message[]): MessageJson[] {
  const previews: MessageJson[] = [];
  let bytes = 0;
  for (const message of messages) {
    const preview = previewJson(message);
    previews.push(preview);
    bytes += 128 + (preview.text ?? preview.base64 ?? "").length;
    if (bytes > EVENT_BYTES) break;
  }
  return previews;
}

/** At most so many of them, with even distances, the newest among them. */
function spread(messages: readonly Message[], most: number): Message[] {
  const n = Math.min(most, messages.length);
  return Array.from(
    { length: n },
    (_, i) => messages[Math.floor((i + 1) * messages.length / n) - 1],
  );
}
