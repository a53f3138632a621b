import type { Addr } from "../../addr.ts";
import type { Datagram } from "../../datagram.ts";
import { textOf } from "./body.ts";
import { json, refuse } from "./responses.ts";
import { datagramJson } from "./json.ts";

// The largest message, if JSON escapes each of its bytes as six.
const MAX_BODY_BYTES = 400 * 1024;
const MAX_AT_ONCE = 16;

/** Sends a message from the form and returns the reply, if any. */
export type Send = (
  text: string,
) => Promise<Datagram<Addr> | undefined>;

/**
 * Responds to `POST /send` with `{"text": …}`. The content type must be
 * `application/json`, which other sites cannot send without the server's consent
 * (CORS).
 */
export function sender(send: Send): (request: Request) => Promise<Response> {
  let atWork = 0;
  return async (request) => {
    const type = request.headers.get("content-type") ?? "";
    if (!/^application\/json *(;|$)/i.test(type)) {
      return refuse(415, "the content type must be application/json");
    }
    if (atWork >= MAX_AT_ONCE) return refuse(503, "too many messages at once");
    atWork++;
    try {
      const text = await read(request);
      return text instanceof Response ? text : await pass(send, text);
    } finally {
      atWork--;
    }
  };
}

async function pass(send: Send, text: string): Promise<Response> {
  try {
    const answer = await send(text);
    return json({ answer: answer === undefined ? null : datagramJson(answer) });
  } catch (error) {
    const { message } = error as Error;
    return refuse(error instanceof RangeError ? 413 : 502, message);
  }
}

async function read(request: Request): Promise<string | Response> {
  const body = await textOf(request, MAX_BODY_BYTES);
  if (body instanceof Response) return body;
  try {
    const { text } = JSON.parse(body);
    if (typeof text === "string") return text;
  } catch {
    // Rejected below, like other JSON.
  }
  return refuse(400, 'the body must be {"text": "…"}');
}
