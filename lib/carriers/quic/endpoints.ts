import type { NetAddr } from "../../addr.ts";
// Deno 2.9 gives the UDP port of a `QuicEndpoint` back only when the garbage
// collector takes it, whatever is closed before.

// How long a closed connection may keep its endpoint: three times what a packet
// may take (RFC 9000, section 10.2), and more on a busy machine.
const RELEASE_MS = 5_000;
const LOOK_MS = 50;

const given = new Set<string>();

/**
 * An endpoint at that address. Where a closed one of this program still has the
 * port, it takes a moment: the garbage is collected first.
 *
 * @throws {Deno.errors.AddrInUse} Somebody has it.
 */
export function openEndpoint(
  hostname: string,
  port: number,
): Deno.QuicEndpoint | Promise<Deno.QuicEndpoint> {
  try {
    return endpointAt(hostname, port);
  } catch (error) {
    if (!given.has(`${hostname} ${port}`)) throw error;
    return endpointAgain(hostname, port);
  }
}

/** An endpoint there was closed, and nothing holds it any more. */
export function released({ hostname, port }: NetAddr): void {
  given.add(`${hostname} ${port}`);
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
    given.delete(`${hostname} ${port}`);
    return endpoint;
  }
  throw new TypeError(
    'Deno.QuicEndpoint is missing: put "unstable": ["net"] into deno.json, or run with --unstable-net',
  );
}

/** V8's own, which it gives to contexts that are made after it was asked to. */
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
 * An endpoint at any free port of that host, for one connection: one whose
 * connection has ended, where there is one. So those who connect often do not
 * pile up ports.
 */
export function parkedEndpoint(hostname: string): Deno.QuicEndpoint {
  const refs = parked.get(hostname) ?? [];
  while (refs.length > 0) {
    const endpoint = refs.pop()!.deref();
    if (endpoint !== undefined) return endpoint;
  }
  return endpointAt(hostname, 0);
}

/** Keeps it for the next connection, unless the garbage is collected before. */
export function parkEndpoint(
  hostname: string,
  endpoint: Deno.QuicEndpoint,
): void {
  const refs = parked.get(hostname) ?? [];
  const alive = refs.filter((ref) => ref.deref() !== undefined);
  parked.set(hostname, [...alive, new WeakRef(endpoint)]);
}
