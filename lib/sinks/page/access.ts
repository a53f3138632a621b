import type { NetAddr } from "../../addr.ts";
import { createHash, timingSafeEqual } from "node:crypto";
import { Hosts } from "./hosts.ts";
import { refuse, respond } from "./responses.ts";

/** Decides which requests are allowed. */
export interface Access {
  /** Returns a refusal or a redirection; `undefined` if the request is allowed. */
  check(request: Request, url: URL): Response | undefined;
}

/**
 * On loopback everyone who can reach the page may use it, but only under its own
 * and its public names: otherwise another site could let its name point here (DNS
 * rebinding). If there is a token, only those who present it may.
 *
 * @param publicHosts As {@linkcode publicHosts} returns them.
 */
export function accessTo(
  address: NetAddr,
  token: string | undefined,
  publicHosts: readonly string[],
): Access {
  const hosts = new Hosts(address, publicHosts);
  const guard = token === undefined
    ? undefined
    : new Token(token, address.port);
  return {
    check(request, url) {
      const host = request.headers.get("host")?.toLowerCase() ?? "";
      const refusal = hosts.refusal(host);
      if (refusal !== undefined) return refuse(403, refusal);
      return otherSite(request, url, host, hosts) ?? guard?.check(request, url);
    },
  };
}

/**
 * Refuses requests of other sites, as browsers mark them. Another site may link
 * to the page and nothing more. Programs other than browsers do not mark their
 * requests and are allowed.
 */
function otherSite(
  { method, headers }: Request,
  { pathname }: URL,
  host: string,
  hosts: Hosts,
): Response | undefined {
  const site = headers.get("sec-fetch-site");
  const own = site === null || site === "same-origin" || site === "none";
  const link = method === "GET" && pathname === "/";
  const origin = headers.get("origin");
  // A proxy may have replaced the host that the browser named.
  const from = origin === null ? host : URL.parse(origin)?.host ?? "";
  return (own || link) && (from === host || hosts.isPublic(from))
    ? undefined
    : refuse(403, "requests from other sites are refused");
}

class Token {
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

  check({ headers }: Request, url: URL): Response | undefined {
    if (url.pathname === "/health") return undefined;
    const given = url.pathname === "/" ? url.searchParams.get("token") : null;
    if (given !== null && this.#is(given)) return this.#setCookie();
    const authorization = headers.get("authorization") ?? "";
    const bearer = /^Bearer +(.+)$/i.exec(authorization)?.[1];
    if (bearer !== undefined && this.#is(bearer)) return undefined;
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

/** Hashes have one length, so the time to compare them reveals nothing. */
function sha256(text: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text).digest());
}
