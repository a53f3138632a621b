import { refuse } from "./responses.ts";

const BODY_MS = 10_000;

/**
 * Reads a request's body.
 *
 * @param limitMs How long it may take, in milliseconds.
 * @returns A refusal if it is too long or too slow.
 */
export async function textOf(
  { body }: Request,
  maxBytes: number,
  limitMs: number = BODY_MS,
): Promise<string | Response> {
  if (body === null) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    reader.cancel().catch(() => {});
  }, limitMs);
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (late) return tooLate();
      if (done) return text + decoder.decode();
      bytes += value.length;
      if (bytes > maxBytes) {
        await reader.cancel();
        return refuse(413, `the body is longer than ${maxBytes} bytes`);
      }
      text += decoder.decode(value, { stream: true });
    }
  } finally {
    clearTimeout(timer);
  }
}

function tooLate(): Response {
  return refuse(408, "the body took too long", { "Connection": "close" });
}
