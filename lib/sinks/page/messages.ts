import type { MessageLog } from "../../sink.ts";
import { json, refuse } from "./responses.ts";
import { type MessageJson, messageJson } from "./json.ts";

const LIMIT = 100;
const MAX_LIMIT = 1000;
// Ten of the largest datagrams, whatever the limit of the request.
const MAX_BYTES = 640 * 1024;
const MESSAGES_PER_READ = 50;

/** Responds to `GET /messages?after=ID&limit=N`: messages with all their bytes. */
export function messages(log: MessageLog, { searchParams }: URL): Response {
  const after = wholeNumber(searchParams.get("after"), 0);
  if (after === undefined) {
    return refuse(400, "after must be a whole number from 0");
  }
  const limit = wholeNumber(searchParams.get("limit"), LIMIT);
  if (limit === undefined || limit < 1 || limit > MAX_LIMIT) {
    return refuse(400, `limit must be a whole number from 1 to ${MAX_LIMIT}`);
  }
  return json(read(log, after, limit));
}

/** Reads in small parts, as a store reads all bytes of the messages at once. */
function read(log: MessageLog, after: number, limit: number): MessageJson[] {
  const messages: MessageJson[] = [];
  let bytes = 0;
  for (;;) {
    const wanted = Math.min(limit - messages.length, MESSAGES_PER_READ);
    const part = log.after(messages.at(-1)?.id ?? after, wanted);
    for (const message of part) {
      bytes += message.datagram.data.length;
      if (bytes > MAX_BYTES && messages.length > 0) return messages;
      messages.push(messageJson(message));
    }
    if (part.length < wanted || messages.length === limit) return messages;
  }
}

function wholeNumber(text: string | null, byDefault: number) {
  if (text === null) return byDefault;
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
