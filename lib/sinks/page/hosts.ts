import type { NetAddr } from "../../addr.ts";
import { bracketed } from "../../address/authority.ts";
import { isOnLoopback } from "../../address/host.ts";
import { InvalidAddressError } from "../../errors.ts";

/**
 * Checks public names of a page, and spells them as a browser does.
 *
 * @throws {InvalidAddressError} One is not `NAME` or `NAME:PORT`.
 */
export function publicHosts(names: readonly string[]): string[] {
  return names.map((name) => {
    // A URL has a host without the port of its scheme.
    const url = URL.parse(`ws://${name}`);
    const port = /:(\d+)$/.exec(name)?.[1] ?? "";
    const isHost = url !== null && !/[\s/?#@*\\]|:$/.test(name);
    if (!isHost) {
      throw new InvalidAddressError(
        name,
        'must be a NAME or NAME:PORT, as in "logs.example.org"',
      );
    }
    return port === "" ? url.hostname : `${url.hostname}:${Number(port)}`;
  });
}

/** The hosts that a request for the page may name. */
export class Hosts {
  // Absent beyond loopback, where the page has any name, and a token.
  readonly #own: readonly string[] | undefined;
  readonly #public: readonly string[];

  /** @param publicHosts Of a proxy; without a port, any port is meant. */
  constructor({ hostname, port }: NetAddr, publicHosts: readonly string[]) {
    this.#own = isOnLoopback(hostname) ? ownHosts(hostname, port) : undefined;
    this.#public = publicHosts;
  }

  /** Returns an error if a `Host` header names another page. */
  refusal(host: string): string | undefined {
    if (this.#own === undefined || this.#own.includes(host)) return undefined;
    if (this.isPublic(host)) return undefined;
    return `this page is at ${this.#public[0] ?? this.#own[0]}`;
  }

  /** Whether a host is one of the public ones. */
  isPublic(host: string): boolean {
    const name = host.replace(/:\d+$/, "");
    return this.#public.includes(host) || this.#public.includes(name);
  }
}

function ownHosts(hostname: string, port: number): string[] {
  const names = [bracketed(hostname), "127.0.0.1", "localhost", "[::1]"];
  const withPort = names.map((name) => `${name}:${port}`);
  return port === 80 ? [...withPort, ...names] : withPort;
}
