import { stringify } from "../../sinks/page/json.ts";

// What a page shows: ten minutes.
const KEPT_EVENTS = 600;
const MAX_PAGES = 64;
// What waits in the program for one browser, besides the system's buffer.
const WAITING_BYTES = 1024 * 1024;

const encoder = new TextEncoder();

/**
 * Events for all open pages. A page that opens gets the newest 600 first. One that
 * does not read is closed, and connects again.
 */
export class PageFeed {
  readonly #start: Uint8Array;
  #events: Uint8Array[] = [];
  readonly #pages = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #isClosed = false;

  /** @param start What each page gets first, in an event `start`. */
  constructor(start: object) {
    this.#start = eventOf("start", start);
  }

  /** Returns the stream of a new page; `undefined` if there are too many. */
  open(): ReadableStream<Uint8Array> | undefined {
    if (this.#isClosed || this.#pages.size >= MAX_PAGES) return undefined;
    let page: ReadableStreamDefaultController<Uint8Array>;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        page = controller;
        this.#pages.add(page);
        page.enqueue(this.#start);
        for (const event of this.#events) page.enqueue(event);
      },
      cancel: () => void this.#pages.delete(page),
    }, { highWaterMark: WAITING_BYTES, size: ({ length }) => length });
  }

  /** Sends an event to all pages. */
  send(name: string, data: object): void {
    const event = eventOf(name, data);
    this.#events.push(event);
    if (this.#events.length > KEPT_EVENTS) this.#events.shift();
    for (const page of this.#pages) {
      if ((page.desiredSize ?? 0) > 0) page.enqueue(event);
      else {
        this.#pages.delete(page);
        page.error(new Error("the page does not read"));
      }
    }
  }

  /** Ends all streams. */
  close(): void {
    this.#isClosed = true;
    for (const page of this.#pages) page.close();
    this.#pages.clear();
  }
}

function eventOf(name: string, data: object): Uint8Array {
  return encoder.encode(`event: ${name}\ndata: ${stringify(data)}\n\n`);
}
