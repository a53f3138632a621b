import { assert, assertEquals } from "@std/assert";
import { bind, connect, type ConnectedSocket } from "../../mod.ts";
import {
  type DirectionStats,
  type Relay,
  type RelayOptions,
  startRelay,
} from "../../lib/testing/mod.ts";
import { LOOPBACK, until } from "./helpers.ts";

// The system's buffer holds as many, of 1,400 bytes and each twice.
const BURST = 32;

/** A server that keeps what it receives. */
export interface Collector extends AsyncDisposable {
  addr: Deno.NetAddr;
  /** What it received, in order. */
  arrived: Uint8Array[];
}

/** Opens one. */
export function collector(): Collector {
  const socket = bind(LOOPBACK);
  const arrived: Uint8Array[] = [];
  const collecting = (async () => {
    for await (const { data } of socket) arrived.push(data);
  })();
  return {
    addr: socket.addr,
    arrived,
    async [Symbol.asyncDispose]() {
      await socket[Symbol.asyncDispose]();
      await collecting;
    },
  };
}

/** A client, a relay, and a server that keeps what it receives. */
export interface Route extends Collector {
  client: ConnectedSocket;
  relay: Relay;
}

/** Opens them. */
export async function route(
  options: Partial<RelayOptions> = {},
): Promise<Route> {
  const server = collector();
  const relay = startRelay({ listen: LOOPBACK, to: server.addr, ...options });
  const client = await connect(relay.addr);
  return {
    ...server,
    client,
    relay,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await relay.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/**
 * Sends messages through a relay, in bursts that fit every buffer. Resolves when
 * each has had its fate.
 */
export async function pass(
  { client, relay, arrived }: Route,
  messages: readonly (string | Uint8Array)[],
): Promise<void> {
  const before = relay.stats.up.received;
  for (let sent = 0; sent < messages.length; sent += BURST) {
    const burst = messages.slice(sent, sent + BURST);
    await Promise.all(burst.map((message) => client.send(message)));
    await until(() => {
      const { up } = relay.stats;
      return up.received === before + sent + burst.length &&
        up.inFlight === 0 && up.forwarded === arrived.length;
    });
  }
}

/** Each datagram, and each copy, had one fate. */
export function assertAddsUp(stats: DirectionStats): void {
  const { received, duplicated, corrupted, reordered, ruled, ...fates } = stats;
  const sum = Object.values(fates).reduce((a, b) => a + b);
  assertEquals(sum, received + duplicated, JSON.stringify(stats));
  assert(Math.max(corrupted, reordered, ruled) <= stats.forwarded);
}

/** Messages that are their own numbers. */
export function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `${n}`);
}

/** Decodes messages that were text. */
export function texts(messages: readonly Uint8Array[]): string[] {
  const decoder = new TextDecoder();
  return messages.map((message) => decoder.decode(message));
}
