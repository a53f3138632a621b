import { escapeControls } from "../../escape.ts";
import { stringify } from "./json.ts";

// No inline script or style, nothing from elsewhere, in nobody's frame.
const POLICY = [
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
  // A stream of events that is compressed would wait in the compressor.
  "Cache-Control": "no-store, no-transform",
};

/** A response with the headers that each one has. */
export function answer(
  body: BodyInit | null,
  contentType: string,
  { status = 200, headers = {} }: {
    status?: number;
    headers?: Record<string, string>;
  } = {},
): Response {
  return new Response(body, {
    status,
    headers: { ...HEADERS, "Content-Type": contentType, ...headers },
  });
}

/** JSON on one line. */
export function json(value: unknown): Response {
  return answer(`${stringify(value)}\n`, "application/json");
}

/** An error, as JSON on one line. */
export function refuse(
  status: number,
  error: string,
  headers?: Record<string, string>,
): Response {
  const body = `${stringify({ error: escapeControls(error) })}\n`;
  return answer(body, "application/json", { status, headers });
}
