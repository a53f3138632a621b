import { requireDeno } from "../../runtime.ts";
import type { NetAddr } from "../../addr.ts";
import { parseAddress } from "../../address/address.ts";
import { bracketed } from "../../address/authority.ts";
import { isOnLoopback } from "../../address/host.ts";
import { failure, InvalidAddressError } from "../../errors.ts";
import { Warnings } from "../../warnings.ts";
import { type Access, accessTo } from "./access.ts";
import { publicHosts } from "./hosts.ts";
import { type Handler, httpServer } from "./http.ts";
import { type ConnectionLimits, Listener } from "./listener.ts";

const LISTEN = "127.0.0.1:62080";
// How long browsers have to read the last bytes before their streams are cut.
const GRACE_MS = 500;
// Twice what 64 pages and 64 requests take, which all may come through one proxy.
const CONNECTIONS: ConnectionLimits = {
  all: 256,
  perSource: 128,
  headMs: 10_000,
  readMs: 30_000,
  retryMs: 200,
  calmMs: 10_000,
};

/** Where a site is, and who may see it. */
export interface SiteOptions {
  /** `HOST:PORT`. @default {"127.0.0.1:62080"} */
  readonly listen?: string | undefined;
  /** A secret that is required beyond loopback. @default {none} */
  readonly token?: string | undefined;
  /** Its public names. @default {none} */
  readonly hosts?: readonly string[] | undefined;
  /** Called with one line per trouble. @default {prints it} */
  readonly onTrouble?: ((line: string) => void) | undefined;
}

/** The web server of a page: its connections, its limits, and its end. */
export class Site {
  /** The URL, for a browser on this machine. */
  readonly url: string;
  readonly #handler: Handler;
  readonly #listener: Listener;
  // Requests whose response is not all sent.
  readonly #running = new Set<Promise<void>>();

  /**
   * @param handlerFor Returns what responds to requests; it has to ask `access`
   * about each one.
   * @throws {InvalidAddressError} `listen` is not `HOST:PORT`, or a host is not one.
   * @throws {TypeError} It is beyond loopback and there is no token, or the token
   * is empty.
   * @throws It cannot listen there.
   */
  constructor(
    { listen = LISTEN, token, hosts = [], onTrouble }: SiteOptions,
    handlerFor: (access: Access) => Handler,
  ) {
    requireDeno("The page");
    const { hostname, port } = checked(listen, token);
    const named = publicHosts(hosts);
    const host = bracketed(hostname);
    const serve = httpServer((request, completed) => {
      this.#track(completed);
      return this.#handler(request, completed);
    });
    try {
      this.#listener = new Listener(
        { hostname, port, transport: "tcp" },
        serve,
        CONNECTIONS,
        new Warnings(onTrouble),
      );
    } catch (error) {
      throw failure(`open the page on ${host}:${port}`, error);
    }
    const { address } = this.#listener;
    // It needs the port, and no request can arrive before this turn ends.
    this.#handler = handlerFor(
      accessTo({ ...address, hostname }, token, named),
    );
    this.url = `http://${ownHost(host)}:${address.port}/`;
  }

  /**
   * Accepts no more connections, ends what the caller ends, and closes all others
   * when their responses are read, or half a second later.
   *
   * @param end Ends the streams.
   */
  async close(end: () => void | Promise<void>): Promise<void> {
    await this.#listener.close();
    await end();
    await waitAtMost(GRACE_MS, Promise.all(this.#running));
    this.#listener.closeConnections();
  }

  #track(completed: Promise<void>): void {
    this.#running.add(completed);
    completed.then(() => void this.#running.delete(completed));
  }
}

function checked(listen: string, token: string | undefined): NetAddr {
  const address = parseListen(listen);
  if (token === "") {
    throw new TypeError(
      `Cannot open the page on ${listen}: the token is empty`,
    );
  }
  if (token === undefined && !isOnLoopback(address.hostname)) {
    throw new TypeError(
      `Cannot open the page on ${listen} without a token: other machines can reach it there`,
    );
  }
  return address;
}

/** Returns a host that can be opened on this machine. */
function ownHost(host: string): string {
  return { "0.0.0.0": "127.0.0.1", "[::]": "[::1]" }[host] ?? host;
}

/** Waits until the work is done, or for `ms` milliseconds. */
async function waitAtMost(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((resolve) => timer = setTimeout(resolve, ms));
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function parseListen(listen: string): NetAddr {
  try {
    const address = parseAddress(listen);
    if ("port" in address && !listen.includes("/")) return address;
  } catch {
    // The error below says what would be valid.
  }
  throw new InvalidAddressError(listen, `must be HOST:PORT, as in "${LISTEN}"`);
}
