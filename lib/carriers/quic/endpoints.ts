import type { NetAddr } from "../../addr.ts";
import { performance, setTimeout } from "../../platform.ts";

// Deno gives the UDP port of a `QuicEndpoint` back only when the garbage
// collector frees the endpoint, whatever is closed before: the QUIC library
// keeps the socket while anything refers to the endpoint, its connections or
// their streams (https://github.com/quinn-rs/quinn/issues/1280,
// https://github.com/quinn-rs/quinn/issues/2367), and Deno's objects do. No issue
// of Deno's is known. Remove `endpointAgain`, `collector` and the parked
// endpoints when `QuicEndpoint.close` frees the port: then
// tests/quic_endpoints_test.ts fails.

// How long a closed connection may keep its endpoint: three times what a packet
// may take (RFC 9000, section 10.2), and longer on a busy machine.
const RELEASE_MS = 5_000;
const LOOK_MS = 50;

const releasedHere = new Set<string>();

/**
 * Opens an endpoint at that address. If a closed endpoint of this program still
 * holds the port, garbage is collected first, which takes a moment.
 *
 * @throws {Deno.errors.AddrInUse} Another socket has the address.
 */
export function openEndpoint(
  hostname: string,
  port: number,
): Deno.QuicEndpoint | Promise<Deno.QuicEndpoint> {
  try {
    return endpointAt(hostname, port);
  } catch (error) {
    if (!releasedHere.has(`${hostname} ${port}`)) throw error;
    return endpointAgain(hostname, port);
  }
}

/** Notes that an endpoint there was closed, and that nothing refers to it. */
export function released({ hostname, port }: NetAddr): void {
  releasedHere.add(`${hostname} ${port}`);
}

async function endpointAgain(
  hostname: string,
  port: number,
): Promise<Deno.QuicEndpoint> {
  const collect = await collector();
  const until = performance.now() + RELEASE_MS;
  for (;;) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    try {
      return endpointAt(hostname, port);
    } catch (error) {
      if (performance.now() > until) throw error;
    }
  }
}

function endpointAt(hostname: string, port: number): Deno.QuicEndpoint {
  if (typeof Deno.QuicEndpoint === "function") {
    const endpoint = new Deno.QuicEndpoint({ hostname, port });
    releasedHere.delete(`${hostname} ${port}`);
    return endpoint;
  }
  throw new TypeError(
    'Deno.QuicEndpoint is missing: put "unstable": ["net"] into deno.json, or run with --unstable-net',
  );
}

/**
 * Returns V8's garbage collector. V8 exposes it to contexts that are created
 * after the flag was set.
 */
async function collector(): Promise<() => void> {
  const [{ setFlagsFromString }, { runInNewContext }] = await Promise.all([
    import("node:v8"),
    import("node:vm"),
  ]);
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc");
}

const parked = new Map<string, WeakRef<Deno.QuicEndpoint>[]>();

/**
 * Returns an endpoint at any free port of that host, for one connection. It
 * reuses one whose connection has ended, if there is one, so that connecting
 * often does not pile up ports.
 */
export function parkedEndpoint(hostname: string): Deno.QuicEndpoint {
  const refs = parked.get(hostname) ?? [];
  while (refs.length > 0) {
    const endpoint = refs.pop()!.deref();
    if (endpoint !== undefined) return endpoint;
  }
  return endpointAt(hostname, 0);
}

/** Keeps an endpoint for the next connection, until garbage is collected. */
export function parkEndpoint(
  hostname: string,
  endpoint: Deno.QuicEndpoint,
): void {
  const refs = parked.get(hostname) ?? [];
  const alive = refs.filter((ref) => ref.deref() !== undefined);
  parked.set(hostname, [...alive, new WeakRef(endpoint)]);
}
