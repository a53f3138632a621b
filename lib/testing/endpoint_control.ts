import type { BufferKind, CarrierControl } from "../control.ts";
import { simulatedHost } from "./places.ts";

// As Linux has it by default: net.core.rmem_default.
const BUFFER = 212_992;

/**
 * What can be set on a socket of the simulated network. Hops and interfaces have
 * no effect there: all hosts are one hop away, on one network.
 */
export class EndpointControl implements CarrierControl {
  /** Whether what it sends to groups reaches members on its own host. */
  isLoopbackOn = true;
  readonly #memberships = new Map<string, Membership>();
  readonly #buffers = { receive: BUFFER, send: BUFFER };

  setBroadcast(): void {}
  setTtl(): void {}
  setMulticastTtl(): void {}
  setMulticastInterface(): void {}

  setMulticastLoopback(isOn: boolean): void {
    this.isLoopbackOn = isOn;
  }

  join(group: string, on?: string, source?: string): void {
    const key = keyOf(group, on, source);
    if (this.#memberships.has(key)) throw withCode("EADDRINUSE");
    this.#memberships.set(key, { group: simulatedHost(group, "::"), source });
  }

  leave(group: string, on?: string, source?: string): void {
    if (!this.#memberships.delete(keyOf(group, on, source))) {
      throw withCode("EADDRNOTAVAIL");
    }
  }

  bufferSize(kind: BufferKind): number {
    return this.#buffers[kind];
  }

  setBufferSize(kind: BufferKind, size: number): void {
    this.#buffers[kind] = size;
  }

  /** Whether it has joined a group for what that host sends. */
  isMember(group: string, source: string): boolean {
    for (const membership of this.#memberships.values()) {
      const { source: only = source } = membership;
      if (membership.group === group && only === source) return true;
    }
    return false;
  }
}

interface Membership {
  readonly group: string;
  readonly source: string | undefined;
}

function keyOf(...parts: (string | undefined)[]): string {
  return parts.join(" ");
}

function withCode(code: string): Error {
  return Object.assign(new Error(code), { code });
}
