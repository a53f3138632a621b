import { createHash, timingSafeEqual } from "node:crypto";
import form from "./assets/token.html" with { type: "text" };
import { textOf } from "./body.ts";
import { POLICY, refuse, respond } from "./responses.ts";

const MAX_FORM_BYTES = 16 * 1024;
const FORM_POLICY = POLICY.replace("form-action 'none'", "form-action 'self'");

/** A secret that opens the page: by a form, in its URL, or as a bearer token. */
export class Token {
  readonly #hash: Uint8Array;
  readonly #cookieName: string;
  // It does not reveal the token, and stays the same after a restart.
  readonly #cookie: string;

  constructor(token: string, port: number) {
    this.#hash = sha256(token);
    this.#cookie = sha256(`cookie of the page ${token}`).toHex();
    // All ports of a host share their cookies.
    this.#cookieName = `pli-${port}`;
  }

  /** Returns a refusal, a form or a redirection; `undefined` if it was presented. */
  async check(request: Request, url: URL): Promise<Response | undefined> {
    const { method, headers } = request;
    const isPage = url.pathname === "/";
    if (url.pathname === "/health") return undefined;
    if (isPage && method === "POST") return await this.#enter(request);
    const given = isPage ? tokensIn(url) : [];
    if (given.some((token) => this.#is(token))) return this.#setCookie();
    const authorization = headers.get("authorization") ?? "";
    const bearer = /^Bearer +(.+)$/i.exec(authorization)?.[1];
    if (bearer !== undefined && this.#is(bearer)) return undefined;
    const cookie = headers.get("cookie") ?? "";
    if (given.length === 0 && this.#hasCookie(cookie)) return undefined;
    const isBrowser = headers.get("accept")?.includes("text/html") === true;
    return isPage && isBrowser ? ask(given.length > 0) : refuse(
      401,
      "open the page once and enter the token, or send it as a bearer token",
      { "WWW-Authenticate": "Bearer" },
    );
  }

  async #enter(request: Request): Promise<Response> {
    const body = await textOf(request, MAX_FORM_BYTES);
    if (body instanceof Response) return body;
    const given = new URLSearchParams(body).get("token") ?? "";
    return this.#is(given) ? this.#setCookie() : ask(true);
  }

  #setCookie(): Response {
    return respond(null, "text/plain", {
      status: 303,
      headers: {
        "Location": "./",
        "Set-Cookie":
          `${this.#cookieName}=${this.#cookie}; Path=/; HttpOnly; SameSite=Strict`,
      },
    });
  }

  #is(token: string): boolean {
    return timingSafeEqual(sha256(token), this.#hash);
  }

  #hasCookie(header: string): boolean {
    const wanted = sha256(this.#cookie);
    return header.split(";").some((pair) => {
      const [name, value = ""] = pair.trim().split("=");
      return name === this.#cookieName &&
        timingSafeEqual(sha256(value), wanted);
    });
  }
}

/** The token in a URL, as it may be meant: encoded in one of two ways, or not. */
function tokensIn({ search, searchParams }: URL): string[] {
  const raw = /[?&]token=(.*)$/s.exec(search)?.[1];
  if (raw === undefined) return [];
  const tokens = [searchParams.get("token") ?? "", raw];
  try {
    tokens.push(decodeURIComponent(raw));
  } catch {
    // It is not encoded.
  }
  return tokens;
}

/** Responds with a form for the token. */
function ask(again: boolean): Response {
  const note = again ? "<p>That is not the token.</p>" : "";
  return respond(
    form.replace("<!-- note -->", note),
    "text/html; charset=utf-8",
    {
      status: 401,
      headers: {
        "WWW-Authenticate": "Bearer",
        "Content-Security-Policy": FORM_POLICY,
        // Without a referrer a browser would not name the form's origin.
        "Referrer-Policy": "same-origin",
      },
    },
  );
}

/** Hashes have one length, so the time to compare them reveals nothing. */
function sha256(text: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text).digest());
}
