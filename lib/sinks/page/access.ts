import type { NetAddr } from "../../addr.ts";
import { Hosts } from "./hosts.ts";
import { refuse } from "./responses.ts";
import { Token } from "./token.ts";

/** Decides which requests are allowed. */
export interface Access {
  /** Returns a refusal or a redirection; `undefined` if the request is allowed. */
  check(request: Request, url: URL): Promise<Response | undefined>;
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
    async check(request, url) {
      const host = request.headers.get("host")?.toLowerCase() ?? "";
      const refusal = hosts.refusal(host);
      if (refusal !== undefined) return refuse(403, refusal);
      return otherSite(request, url, host, hosts) ??
        await guard?.check(request, url);
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
