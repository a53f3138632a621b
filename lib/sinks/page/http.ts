import { type IncomingMessage, Server, type ServerResponse } from "node:http";
import type { Connection } from "./connection.ts";

/**
 * Responds to a request.
 *
 * @param completed Resolves when all of the response was sent, or the browser has
 * gone. Must not reject.
 */
export type Handler = (
  request: Request,
  completed: Promise<void>,
) => Promise<Response>;

/**
 * Returns a function that serves HTTP on a connection. `node:http` parses it; it
 * does not listen itself, because on Deno its listener stops without a word when
 * there are no descriptors left.
 */
export function httpServer(handler: Handler): (connection: Connection) => void {
  const server = new Server(
    // The connection has its own time limit, and the handler checks the host.
    { keepAliveTimeout: 0, requireHostHeader: false },
    (incoming, outgoing) => {
      respond(handler, incoming, outgoing).catch(() => void outgoing.destroy());
    },
  );
  // One that listens nowhere would close each connection after one response.
  Object.defineProperty(server, "listening", { value: true });
  return (connection) => void server.emit("connection", connection);
}

async function respond(
  handler: Handler,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const connection = incoming.socket as unknown as Connection;
  const end = connection.begin();
  const completed = new Promise<void>((resolve) => {
    outgoing.once("close", resolve);
    // A response that waits for another one is not told of it.
    connection.once("close", resolve);
    outgoing.once("close", () => connection.off("close", resolve));
  });
  completed.then(end);
  outgoing.on("error", () => {});
  const request = requestOf(incoming);
  if (request === undefined) {
    outgoing.writeHead(400).end();
    return;
  }
  const response = await handler(request, completed);
  const { status, headers, body } = response;
  for (const [name, value] of headers) outgoing.setHeader(name, value);
  outgoing.writeHead(status);
  if (body === null || incoming.method === "HEAD") outgoing.end();
  else await send(body, outgoing, completed);
}

/** Returns `undefined` if it is none that the Fetch API knows, such as TRACE. */
function requestOf(incoming: IncomingMessage): Request | undefined {
  const { url = "", method = "GET", rawHeaders } = incoming;
  try {
    const headers = new Headers();
    for (let i = 0; i < rawHeaders.length; i += 2) {
      headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
    }
    // Of the URL, only the path and the query are used.
    const path = url.startsWith("/") ? `http://page${url}` : url;
    return new Request(path, {
      method,
      headers,
      ...(method !== "GET" && method !== "HEAD" && { body: bodyOf(incoming) }),
    });
  } catch {
    return undefined;
  }
}

/** Unlike Node's own conversion it leaves the connection open when cancelled. */
function bodyOf(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  let ended = false;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const end = () => {
        if (!ended) controller.close();
        ended = true;
      };
      incoming.on("data", (chunk: Uint8Array) => {
        if (ended) return;
        controller.enqueue(new Uint8Array(chunk));
        incoming.pause();
      });
      incoming.on("end", end);
      incoming.on("close", end);
      incoming.on("error", end);
      incoming.pause();
    },
    pull() {
      incoming.resume();
    },
    cancel() {
      ended = true;
      incoming.resume();
    },
  });
}

/** Sends a body as fast as the browser reads it. */
async function send(
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse,
  completed: Promise<void>,
): Promise<void> {
  const reader = body.getReader();
  completed.then(() => reader.cancel().catch(() => {}));
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    if (outgoing.write(value)) continue;
    const drained = new Promise<void>((resolve) => {
      outgoing.once("drain", resolve);
    });
    await Promise.race([drained, completed]);
  }
  outgoing.end();
}
