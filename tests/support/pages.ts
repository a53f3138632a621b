import { assertEquals } from "@std/assert";
import { type Page, page, type PageOptions } from "../../lib/sinks/page.ts";
import type { CollectorStats, Message, MessageLog } from "../../lib/sink.ts";
import type { RateHistory } from "../../lib/sinks/page/rates.ts";
import { type Data, Datagram } from "../../mod.ts";
import { bytesOf, PEER } from "./helpers.ts";

/** The stats of a fake collector. */
export const STATS: CollectorStats = {
  received: 7,
  bytes: 70,
  truncated: 1,
  waiting: 2,
  sent: 3,
  sentBytes: 30,
  sendFailed: 4,
  sending: 0,
  unreachable: 0,
  withheld: {},
  dropped: { queueFull: 5 },
  sinks: {
    store: { stored: 6, waiting: 1, notStored: 0 },
    page: { clients: 3, shown: 8 },
  },
  gauges: { page: ["clients"] },
};

/** Opens a page on a free port, with a fake collector. */
export function openPage(options: Partial<PageOptions> = {}): Page {
  return page({
    listen: "127.0.0.1:0",
    stats: () => Promise.resolve(STATS),
    send: () => Promise.resolve(undefined),
    ...options,
  });
}

/** Runs a test with a page, which it closes. */
export async function withPage(
  run: (page: Page) => Promise<void>,
  options?: Partial<PageOptions>,
): Promise<void> {
  const opened = openPage(options);
  try {
    await run(opened);
  } finally {
    await opened.close();
  }
}

/** Returns a message as a collector numbers it. */
export function message(
  id: number,
  data: Data = `message ${id}`,
  from: Deno.Addr = PEER,
): Message {
  const time = new Date(Date.UTC(2026, 10, 23, 9, 30) + id);
  return { id, time, datagram: new Datagram(bytesOf(data), from) };
}

/** Returns messages with consecutive numbers. */
export function messagesFrom(first: number, count: number): Message[] {
  return Array.from({ length: count }, (_, i) => message(first + i));
}

/** A store in memory. Tests decide which messages it has written. */
export class FakeStore implements MessageLog {
  readonly identity = "a-store";
  readonly messages: Message[] = [];

  get lastId(): number {
    return this.messages.at(-1)?.id ?? 0;
  }

  after(id: number, limit: number): Message[] {
    return this.messages.filter((message) => message.id > id).slice(0, limit);
  }
}

/** One server-sent event. */
export interface Event {
  name: string;
  id: string | undefined;
  data: {
    messages: { id: number; text?: string; size: number; cut?: true }[];
    skipped: number;
    oneOf: number;
    stats: CollectorStats;
    rates: RateHistory;
  };
}

/** A page's stream of events, as a browser reads it. */
export class EventReader implements AsyncDisposable {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  private constructor(body: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = body.pipeThrough(new TextDecoderStream()).getReader();
  }

  static open(page: Page, lastEventId?: string): Promise<EventReader> {
    return EventReader.at(
      page,
      "/events",
      lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId },
    );
  }

  static async at(
    page: Page,
    path: string,
    headers: HeadersInit = {},
  ): Promise<EventReader> {
    const response = await fetch(new URL(path, page.url), { headers });
    assertEquals(response.status, 200);
    return new EventReader(
      response.body as ReadableStream<Uint8Array<ArrayBuffer>>,
    );
  }

  /** The next event, except those with stats; `undefined` at the end. */
  async next(): Promise<Event | undefined> {
    for (;;) {
      const event = await this.any();
      if (event?.name !== "stats") return event;
    }
  }

  /** The next event of that name. */
  async named(name: string): Promise<Event> {
    for (;;) {
      const event = await this.any();
      if (event === undefined) throw new Error(`there was no event ${name}`);
      if (event.name === name) return event;
    }
  }

  /** The events up to the one that covers a message. */
  async until(id: number): Promise<Event[]> {
    const events: Event[] = [];
    for (;;) {
      const event = await this.next();
      if (event === undefined) throw new Error("the stream ended");
      events.push(event);
      if (event.name === "messages" && numberOf(event) >= id) return events;
    }
  }

  /** The next event of any name; `undefined` at the end. */
  async any(): Promise<Event | undefined> {
    for (;;) {
      const end = this.#rest.indexOf("\n\n");
      if (end >= 0) {
        const event = parse(this.#rest.slice(0, end));
        this.#rest = this.#rest.slice(end + 2);
        if (event !== undefined) return event;
        continue;
      }
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      this.#rest += value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reader.cancel();
  }
}

/** The numbers of all messages in the events. */
export function idsIn(events: readonly Event[]): number[] {
  return events.filter(({ name }) => name === "messages")
    .flatMap(({ data }) => data.messages.map(({ id }) => id));
}

/** The number of the last message that an event covers. */
export function numberOf({ id = "" }: Event): number {
  return Number(id.slice(id.lastIndexOf("-") + 1));
}

/** Numbers from one to another. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function parse(text: string): Event | undefined {
  const fields = new Map(
    text.split("\n").map((line) => {
      const [name, ...value] = line.split(": ");
      return [name, value.join(": ")];
    }),
  );
  const name = fields.get("event");
  if (name === undefined) return undefined;
  const data = JSON.parse(fields.get("data") ?? "null");
  return { name, id: fields.get("id"), data };
}

/** Sends a request as it is written. Returns the whole response. */
export async function rawRequest(
  page: Page,
  lines: readonly string[],
  body = "",
): Promise<string> {
  const { hostname, port } = new URL(page.url);
  using conn = await Deno.connect({ hostname, port: Number(port) });
  const head = [...lines, "Connection: close", "", ""].join("\r\n");
  const writer = conn.writable.getWriter();
  await writer.write(new TextEncoder().encode(head + body));
  return await new Response(conn.readable).text();
}

/** The host of a page, as a `Host` header has it. */
export function hostOf(page: Page): string {
  return new URL(page.url).host;
}

/** Returns the status of a request with these headers. */
export async function status(
  page: Page,
  request: string,
  headers: readonly string[] = [],
  body = "",
): Promise<number> {
  const response = await rawRequest(
    page,
    [`${request} HTTP/1.1`, ...headers],
    body,
  );
  return Number(response.split(" ")[1]);
}

export const TOKEN = "a long and secret token";

/** Options of a page beyond loopback. */
export const OPEN = { listen: "0.0.0.0:0", token: TOKEN };

/** Runs a test with a page beyond loopback, at the URL that is reachable here. */
export async function withOpenPage(
  run: (page: Page, url: string) => Promise<void>,
  options: Partial<PageOptions> = {},
) {
  await withPage(
    (page) => run(page, page.url.replace("0.0.0.0", "127.0.0.1")),
    { ...OPEN, ...options },
  );
}
