import type { NetAddr } from "../../addr.ts";
import { createHash, timingSafeEqual } from "node:crypto";
import { isLoopback } from "../../address/host.ts";
import { answer, refuse } from "./answers.ts";

/** Who may ask for what. */
export interface Access {
  /** Why a request is refused, or where it is sent on; else `undefined`. */
  check(request: Request, url: URL): Response | undefined;
}

/**
 * On loopback without a token whoever can reach the page may use it, by its own
 * name only: else a site elsewhere could let its name point here (DNS
 * rebinding). With a token whoever knows it may.
 */
export function accessTo(
  { hostname, port }: NetAddr,
  token: string | undefined,
): Access {
  const names = isOnLoopback(hostname) ? ownNames(hostname, port) : undefined;
  const guard = token === undefined ? undefined : new Token(token, port);
  return {
    check(request, url) {
      const host = request.headers.get("host")?.toLowerCase() ?? "";
      if (names !== undefined && !names.includes(host)) {
        return refuse(403, `this page is at ${names[0]}`);
      }
      return otherSite(request, url, host) ?? guard?.check(request, url);
    },
  };
}

/** Whether only this machine can reach what is bound there. */
export function isOnLoopback(hostname: string): boolean {
  return hostname === "localhost" || isLoopback(hostname);
}

/** A host as it is in a URL. */
export function inUrl(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

function ownNames(hostname: string, port: number): string[] {
  const names = [inUrl(hostname), "127.0.0.1", "localhost", "[::1]"];
  const withPort = names.map((name) => `${name}:${port}`);
  return port === 80 ? [...withPort, ...names] : withPort;
}

/**
 * Browsers say on whose behalf they ask. Another site may link to the page and
 * nothing else; programs that are no browsers say nothing, and may.
 */
function otherSite(
  { method, headers }: Request,
  { pathname }: URL,
  host: string,
): Response | undefined {
  const site = headers.get("sec-fetch-site");
  const own = site === null || site === "same-origin" || site === "none";
  const link = method === "GET" && pathname === "/";
  const origin = headers.get("origin");
  const same = origin === null || URL.parse(origin)?.host === host;
  return (own || link) && same
    ? undefined
    : refuse(403, "not from other sites");
}

class Token {
  readonly #hash: Uint8Array;
  readonly #cookieName: string;
  // Not the token itself, and the same after a restart.
  readonly #cookie: string;

  constructor(token: string, port: number) {
    this.#hash = sha256(token);
    this.#cookie = sha256(`cookie of the page ${token}`).toHex();
    // Cookies are the same for all ports of a host.
    this.#cookieName = `pli-${port}`;
  }

  check({ headers }: Request, url: URL): Response | undefined {
    if (url.pathname === "/health") return undefined;
    const given = url.pathname === "/" ? url.searchParams.get("token") : null;
    if (given !== null && this.#is(given)) return this.#welcome();
    const bearer = /^Bearer +(.+)$/i.exec(headers.get("authorization") ?? "");
    if (bearer !== null && this.#is(bearer[1])) return undefined;
    if (given === null && this.#hasCookie(headers.get("cookie") ?? "")) {
      return undefined;
    }
    return refuse(
      401,
      "open /?token=TOKEN once, or send it as a bearer token",
      {
        "WWW-Authenticate": "Bearer",
      },
    );
  }

  #welcome(): Response {
    return answer(null, "text/plain", {
      status: 303,
      headers: {
        "Location": "/",
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

/** Hashes are of one length, so comparing them tells nothing of the text. */
function sha256(text: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text).digest());
}
