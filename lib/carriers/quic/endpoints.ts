/**
 * Deno 2.9 releases the UDP port of a `QuicEndpoint` only when the garbage
 * collector takes it. Until then the next socket of this program gets the same
 * endpoint: so a port is free again at once, and those who connect often do not
 * pile up ports. They are held weakly: an endpoint that nobody wants again goes.
 */
class Parking {
  readonly #parked = new Map<string, WeakRef<Deno.QuicEndpoint>[]>();

  take(key: string): Deno.QuicEndpoint | undefined {
    const refs = this.#parked.get(key) ?? [];
    while (refs.length > 0) {
      const endpoint = refs.pop()!.deref();
      if (endpoint !== undefined) return endpoint;
    }
    return undefined;
  }

  put(key: string, endpoint: Deno.QuicEndpoint): void {
    for (const [key, refs] of this.#parked) {
      const alive = refs.filter((ref) => ref.deref() !== undefined);
      if (alive.length > 0) this.#parked.set(key, alive);
      else this.#parked.delete(key);
    }
    const refs = this.#parked.get(key) ?? [];
    this.#parked.set(key, [...refs, new WeakRef(endpoint)]);
  }
}

const listening = new Parking();
const dialling = new Parking();

/**
 * An endpoint at that address, to listen.
 *
 * @throws {Deno.errors.AddrInUse} Somebody has it.
 */
export function openAt(hostname: string, port: number): Deno.QuicEndpoint {
  requireQuic();
  return listening.take(`${hostname}:${port}`) ??
    new Deno.QuicEndpoint({ hostname, port });
}

/** An endpoint at any free port of that host, for one connection. */
export function openFrom(hostname: string): Deno.QuicEndpoint {
  requireQuic();
  return dialling.take(hostname) ??
    new Deno.QuicEndpoint({ hostname, port: 0 });
}

/** For the next who listens there. Nothing may listen on it or be connected. */
export function parkListener(endpoint: Deno.QuicEndpoint): void {
  const { hostname, port } = endpoint.addr;
  listening.put(`${hostname}:${port}`, endpoint);
}

/** For the next who connects from that host. Its connection has to be closed. */
export function parkDialler(
  hostname: string,
  endpoint: Deno.QuicEndpoint,
): void {
  dialling.put(hostname, endpoint);
}

/** Says in one line what is wrong where Deno has no QUIC. */
function requireQuic(): void {
  if (typeof Deno.QuicEndpoint === "function") return;
  throw new TypeError(
    'Deno.QuicEndpoint is missing: put "unstable": ["net"] into deno.json, or run with --unstable-net',
  );
}
