import type { NetAddr } from "../../addr.ts";
import type { CollectorStats, Past } from "../../sink.ts";
import type { Access } from "./access.ts";
import { answer, json, refuse } from "./answers.ts";
import { ASSETS } from "./assets.ts";
import type { Feeds } from "./feeds.ts";
import { messages } from "./messages.ts";
import { metrics } from "./metrics.ts";
import { type Send, sender } from "./send.ts";

// At work or still being read by who asked, beside the streams of events.
const MAX_REQUESTS = 64;

/** What the routes lead to. */
export interface Routed {
  access: Access;
  feeds: Feeds;
  past: Past;
  stats: () => Promise<CollectorStats>;
  send: Send;
}

type Route = (request: Request, url: URL) => Response | Promise<Response>;

/** Answers each request to the page. */
export function routes(routed: Routed): Deno.ServeHandler<NetAddr> {
  const { access, feeds, past, stats } = routed;
  const send = sender(routed.send);
  const gets = new Map<string, Route>([
    ["/events", (request, url) => events(feeds, request, url)],
    ["/messages", (_, url) => messages(past, url)],
    ["/stats", async () => json(await stats())],
    ["/metrics", async ({ headers }) => {
      const accept = headers.get("accept") ?? "";
      const { text, contentType } = metrics(await stats(), accept);
      return answer(text, contentType);
    }],
    ["/health", () => answer("ok\n", "text/plain")],
  ]);
  for (const [path, { text, contentType }] of ASSETS) {
    gets.set(path, () => answer(text, contentType));
  }
  let atWork = 0;

  async function handle(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const refused = access.check(request, url);
    if (refused !== undefined) return refused;
    const { pathname } = url;
    const { method } = request;
    if (pathname === "/send") {
      return method === "POST" ? await send(request) : notAllowed("POST");
    }
    const get = gets.get(pathname);
    if (get === undefined) return refuse(404, "there is no such page");
    if (method !== "GET" && method !== "HEAD") return notAllowed("GET, HEAD");
    // A stream that nobody reads must not begin.
    if (method === "HEAD" && pathname === "/events") return eventStream(null);
    return await get(request, url);
  }

  return async (request, { completed }) => {
    if (atWork >= MAX_REQUESTS) return refuse(503, "too many requests at once");
    atWork++;
    const end = () => void atWork--;
    try {
      const response = await handle(request);
      // A stream of events has a limit of its own.
      if (isEvents(response)) end();
      else completed.then(end, end);
      return response;
    } catch (error) {
      completed.then(end, end);
      return refuse(500, (error as Error).message);
    }
  };
}

function events(feeds: Feeds, { headers }: Request, url: URL): Response {
  // A page that had to open a new stream cannot set the header.
  const lastEventId = headers.get("last-event-id") ??
    url.searchParams.get("last") ?? undefined;
  const body = feeds.open(lastEventId);
  return body === undefined
    ? refuse(503, "too many pages are open", { "Retry-After": "10" })
    : eventStream(body);
}

function eventStream(body: ReadableStream<Uint8Array> | null): Response {
  return answer(body as BodyInit | null, "text/event-stream");
}

function isEvents({ headers }: Response): boolean {
  return headers.get("content-type") === "text/event-stream";
}

function notAllowed(methods: string): Response {
  return refuse(405, `only ${methods}`, { "Allow": methods });
}
