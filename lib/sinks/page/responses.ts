import { escapeControls } from "../../escape.ts";
import { stringify } from "./json.ts";

/** No inline script or style, nothing from other origins, in no frame. */
export const POLICY: string = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join("; ");

const HEADERS = {
  "Content-Security-Policy": POLICY,
  "X-Frame-Options": "DENY",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
  // Compressed events would wait in the compressor.
  "Cache-Control": "no-store, no-transform",
};

/** Returns a response with the headers that all responses have. */
export function respond(
  body: BodyInit | null,
  contentType: string,
  { status = 200, headers = {} }: {
    status?: number | undefined;
    headers?: Record<string, string> | undefined;
  } = {},
): Response {
  return new Response(body, {
    status,
    headers: { ...HEADERS, "Content-Type": contentType, ...headers },
  });
}

/** Responds with JSON on one line. */
export function json(value: unknown): Response {
  return respond(`${stringify(value)}\n`, "application/json");
}

/** Responds with an error, as JSON on one line. */
export function refuse(
  status: number,
  error: string,
  headers?: Record<string, string>,
): Response {
  const body = `${stringify({ error: escapeControls(error) })}\n`;
  return respond(body, "application/json", { status, headers });
}
