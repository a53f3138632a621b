import type { CollectorStats, MessageLog } from "../../sink.ts";
import type { Access } from "./access.ts";
import { json, refuse, respond } from "./responses.ts";
import { ASSETS } from "./assets.ts";
import type { Feeds } from "./feeds.ts";
import type { Handler } from "./http.ts";
import { messages } from "./messages.ts";
import { metrics } from "./metrics.ts";
import { type Send, sender } from "./send.ts";

// Requests at work, or whose response is not all read, besides streams of events.
const MAX_REQUESTS = 64;

/** What the responses are made from. */
export interface Resources {
  access: Access;
  feeds: Feeds;
  log: MessageLog;
  stats: () => Promise<CollectorStats>;
  send: Send;
}

type Route = (request: Request, url: URL) => Response | Promise<Response>;

/** Returns a handler of the page's requests. */
export function routes(resources: Resources): Handler {
  const { access, feeds, log, stats } = resources;
  const send = sender(resources.send);
  const gets = new Map<string, Route>([
    ["/events", (request, url) => events(feeds, request, url)],
    ["/messages", (_, url) => messages(log, url)],
    ["/stats", async () => json(await stats())],
    ["/metrics", async ({ headers }) => {
      const accept = headers.get("accept") ?? "";
      const { text, contentType } = metrics(await stats(), accept);
      return respond(text, contentType);
    }],
    ["/health", () => respond("ok\n", "text/plain")],
  ]);
  for (const [path, { text, contentType }] of ASSETS) {
    gets.set(path, () => respond(text, contentType));
  }
  let atWork = 0;

  async function handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const refused = await access.check(request, url);
    if (refused !== undefined) return refused;
    const { pathname } = url;
    const { method } = request;
    if (pathname === "/send") {
      return method === "POST" ? await send(request) : notAllowed("POST");
    }
    const get = gets.get(pathname);
    if (get === undefined) return refuse(404, "not found");
    if (method !== "GET" && method !== "HEAD") return notAllowed("GET, HEAD");
    // A stream without a reader must not begin.
    if (method === "HEAD" && pathname === "/events") return eventStream(null);
    return await get(request, url);
  }

  return async (request, completed) => {
    if (atWork >= MAX_REQUESTS) return refuse(503, "too many requests at once");
    atWork++;
    const end = () => void atWork--;
    try {
      const response = await handle(request);
      // Streams of events have a limit of their own.
      if (isEvents(response)) end();
      else completed.then(end);
      return response;
    } catch (error) {
      completed.then(end);
      return refuse(500, (error as Error).message);
    }
  };
}

function events(feeds: Feeds, { headers }: Request, url: URL): Response {
  // A page that opened a new stream itself cannot set the header.
  const lastEventId = headers.get("last-event-id") ??
    url.searchParams.get("last") ?? undefined;
  const body = feeds.open(lastEventId);
  return body === undefined
    ? refuse(503, "too many pages are open", { "Retry-After": "10" })
    : eventStream(body);
}

function eventStream(body: ReadableStream<Uint8Array> | null): Response {
  // A proxy that buffers would hold the events back.
  const headers = { "X-Accel-Buffering": "no" };
  return respond(body as BodyInit | null, "text/event-stream", { headers });
}

function isEvents({ headers }: Response): boolean {
  return headers.get("content-type") === "text/event-stream";
}

function notAllowed(methods: string): Response {
  return refuse(405, `allowed methods: ${methods}`, { "Allow": methods });
}
