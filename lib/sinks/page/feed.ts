import type { Message, MessageLog } from "../../sink.ts";
import type { EventIds } from "./event_ids.ts";
import { type MessageJson, previewJson, stringify } from "./json.ts";

// How many messages a page shows, and gets at its start.
const FIRST_MESSAGES = 500;
// How many a page that was away gets; the number of the others is sent.
const GAP_MESSAGES = 1000;
// Limits of one event. A flush sends one, so a page that catches up delays nothing.
const EVENT_MESSAGES = 250;
const EVENT_BYTES = 64 * 1024;
// What waits in the server for one browser, besides the system's buffer.
const WAITING_BYTES = 128 * 1024;
// With a flush per 100 ms: 300 messages per second, and bursts of a thousand.
const MESSAGES_PER_FLUSH = 30;
const MESSAGES_AT_ONCE = 1000;

const encoder = new TextEncoder();

/** The numbers of all feeds together. */
export interface FeedCounts {
  /** Messages that were sent, once per page. */
  shown: number;
  /** Messages that were not: left out of a sample, or of a slow page. */
  skipped: number;
}

/**
 * The server-sent events of one page. A feed remembers the number of the last
 * message that it covered and reads the log from there, so it needs no queue of
 * its own, and no message is missing or sent twice.
 */
export class Feed {
  /** The body of the response. */
  readonly body: ReadableStream<Uint8Array>;
  readonly #log: MessageLog;
  readonly #ids: EventIds;
  readonly #counts: FeedCounts;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  // The last message that it covered, sent or skipped.
  #lastId: number;
  // Up to this number no message is left out, whatever the rate.
  #catchUpTo: number;
  // Skipped messages that the page does not know of.
  #skipped = 0;
  #allowed = MESSAGES_AT_ONCE;
  #isLate = false;

  /**
   * @param lastEventId The id of the last event that the page got.
   * @param onEnd Called when the browser closes the stream.
   */
  constructor(
    log: MessageLog,
    ids: EventIds,
    counts: FeedCounts,
    lastEventId: string | undefined,
    onEnd: () => void,
  ) {
    this.#log = log;
    this.#ids = ids;
    this.#counts = counts;
    this.body = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#controller = controller),
      cancel: onEnd,
    }, { highWaterMark: WAITING_BYTES, size: (chunk) => chunk.byteLength });
    this.#lastId = this.#catchUpTo = log.lastId;
    this.#send("retry: 1000\n\n");
    const knownId = ids.numberOf(lastEventId);
    if (knownId !== undefined) {
      this.#lastId = knownId;
      this.#catchUp();
    } else {
      if (lastEventId !== undefined) this.#event("reset", {});
      const [first] = log.after(log.lastId - FIRST_MESSAGES, 1);
      if (first !== undefined) this.#lastId = first.id - 1;
    }
    this.#event("start", { skipped: this.#takeSkipped() }, this.#lastId);
  }

  /** Sends messages that arrived since the last call. Call it each 100 ms. */
  flush(): void {
    if (!this.#hasRoom) {
      this.#isLate = true;
      return;
    }
    if (this.#isLate) {
      this.#isLate = false;
      this.#catchUp();
    }
    this.#allowed = Math.min(
      MESSAGES_AT_ONCE,
      this.#allowed + MESSAGES_PER_FLUSH,
    );
    const { lastId } = this.#log;
    const pending = lastId - this.#lastId;
    if (pending <= 0) return;
    if (this.#lastId < this.#catchUpTo) this.#all(this.#catchUpTo);
    else if (pending <= this.#allowed) this.#allowed -= this.#all(lastId);
    else this.#allowed -= this.#sample(lastId);
  }

  /** Sends an event, unless the page is slow: the next one will replace it. */
  sendIfRoom(name: string, data: unknown): void {
    if (this.#hasRoom) this.#event(name, data);
  }

  /** Ends the stream. A slow page does not get what it has not read. */
  close(): void {
    if (this.#hasRoom) this.#controller.close();
    else this.#controller.error(new Error("the page is closed"));
  }

  get #hasRoom(): boolean {
    return (this.#controller.desiredSize ?? 0) > 0;
  }

  /** Leaves out no message up to the newest one, except those too long ago. */
  #catchUp(): void {
    this.#catchUpTo = this.#log.lastId;
    const tooMany = this.#catchUpTo - this.#lastId - GAP_MESSAGES;
    if (tooMany <= 0) return;
    this.#lastId += tooMany;
    this.#skip(tooMany);
  }

  /** Sends the next messages, and how many are missing. Returns how many it sent. */
  #all(upTo: number): number {
    const limit = Math.min(upTo - this.#lastId, EVENT_MESSAGES);
    const messages = this.#log.after(this.#lastId, limit);
    const previews = inOneEvent(messages);
    const newest = messages.at(previews.length - 1)?.id ?? 0;
    // Fewer than the limit: the log does not have the others any more.
    const ended = messages.length < limit &&
      previews.length === messages.length;
    const lastId = ended ? Math.max(upTo, newest) : newest;
    this.#skip(lastId - this.#lastId - previews.length);
    this.#messages(previews, lastId, 1);
    return previews.length;
  }

  /** Sends as many as are allowed, evenly spread. Returns how many it sent. */
  #sample(upTo: number): number {
    const most = Math.min(this.#allowed, EVENT_MESSAGES);
    const oldest = Math.max(this.#lastId, upTo - GAP_MESSAGES);
    const messages = this.#log.after(oldest, GAP_MESSAGES);
    const previews = inOneEvent(spread(messages, most));
    const lastId = messages.at(-1)?.id ?? upTo;
    const arrived = lastId - this.#lastId;
    this.#counts.skipped += arrived - previews.length;
    this.#messages(previews, lastId, arrived / Math.max(1, previews.length));
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

/** Converts as many messages as fit in one event, and at least one. */
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

/** Returns at most `most` messages, evenly spread, the newest among them. */
function spread(messages: readonly Message[], most: number): Message[] {
  const { length } = messages;
  const n = Math.min(most, length);
  const upTo = (count: number) => Math.floor(count * n / length);
  return messages.filter((_, i) => upTo(i + 1) > upTo(i));
}
