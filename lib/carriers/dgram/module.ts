import { builtin } from "../../runtime.ts";

/** The sender of a datagram, as `node:dgram` tells it. */
export interface Sender {
  readonly address: string;
  readonly port: number;
}

/** The part of a socket of `node:dgram` that is used here. */
export interface Socket {
  on(
    event: "message",
    listener: (data: Uint8Array, from: Sender) => void,
  ): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "listening" | "close", listener: () => void): this;
  bind(options: { port: number; address: string; exclusive: boolean }): this;
  address(): Sender;
  send(
    data: Uint8Array,
    port: number,
    address: string,
    sent: (error: Error | null, bytes: number) => void,
  ): void;
  close(): void;
  ref(): this;
  unref(): this;
  setBroadcast(isAllowed: boolean): void;
  setTTL(ttl: number): unknown;
  getRecvBufferSize(): number;
  getSendBufferSize(): number;
  setRecvBufferSize(size: number): void;
  setSendBufferSize(size: number): void;
  setMulticastTTL(ttl: number): unknown;
  setMulticastLoopback(isOn: boolean): unknown;
  setMulticastInterface(address: string): void;
  addMembership(group: string, on?: string): void;
  dropMembership(group: string, on?: string): void;
  addSourceSpecificMembership(source: string, group: string, on?: string): void;
  dropSourceSpecificMembership(
    source: string,
    group: string,
    on?: string,
  ): void;
}

/** How a socket of `node:dgram` is made. */
export interface SocketSettings {
  readonly type: "udp4" | "udp6";
  readonly reuseAddr?: boolean;
  readonly reusePort?: boolean;
  readonly ipv6Only?: boolean;
  readonly recvBufferSize?: number;
  readonly sendBufferSize?: number;
}

interface Dgram {
  createSocket(options: SocketSettings & { lookup: typeof lookup }): Socket;
}

// A run over a simulated network replaces the module's members.
let real: Dgram["createSocket"] | undefined;

/** Remembers the platform's own sockets, before anything replaces them. */
export function keepRealDgram(): void {
  real ??= builtin<Dgram>("node:dgram").createSocket;
}

/** Makes a socket of `node:dgram`, which is loaded with the first one. */
export function createSocket(settings: SocketSettings): Socket {
  keepRealDgram();
  return real!({ ...settings, lookup });
}

/**
 * Hosts are IP addresses here, so there is nothing to look up. `node:dgram` would
 * do so in a thread, and `bind` would not be done when it returns.
 */
function lookup(
  host: string,
  family: 4 | 6,
  callback: (error: null, host: string, family: 4 | 6) => void,
): void {
  callback(null, host, family);
}
