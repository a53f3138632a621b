import type { CarrierSource } from "../carrier.ts";

/** A `Buffer` where the types of Node are there, and else its base. */
export type Bytes = typeof globalThis extends
  { Buffer: { prototype: infer B extends Uint8Array } } ? B : Uint8Array;

/** The family of a socket. */
export type SocketType = "udp4" | "udp6";

/** The local address of a socket, or that of its peer. */
export interface AddressInfo {
  /** An IP address. */
  address: string;
  /** `IPv4` or `IPv6`. */
  family: string;
  /** 1 to 65535. */
  port: number;
}

/** The sender of a datagram. */
export interface RemoteInfo {
  /** An IP address. */
  address: string;
  /** The family of that address. */
  family: "IPv4" | "IPv6";
  /** 1 to 65535. */
  port: number;
  /** The length of the datagram, in bytes. */
  size: number;
}

/** Addresses that are not sent to or received from, as `BlockList` of `node:net`. */
export interface AddressList {
  /** Whether an address is in it. */
  check(address: string, family?: "ipv4" | "ipv6"): boolean;
}

/** Looks up a host, as `dns.lookup` does. */
export type Lookup = (
  hostname: string,
  family: 4 | 6,
  callback: (
    error: Error | null | undefined,
    address: string,
    family?: number,
  ) => void,
) => void;

/** How a socket is made. */
export interface SocketOptions {
  /** The family. */
  type: SocketType;
  /** Whether to bind although another socket has the address. @default {false} */
  reuseAddr?: boolean | undefined;
  /**
   * Whether several sockets share the address, and the system spreads the load.
   * @default {false}
   */
  reusePort?: boolean | undefined;
  /** Whether `::` leaves IPv4 to others. @default {false} */
  ipv6Only?: boolean | undefined;
  /** The size of the system's receive buffer, in bytes. @default {the system's} */
  recvBufferSize?: number | undefined;
  /** The size of the system's send buffer, in bytes. @default {the system's} */
  sendBufferSize?: number | undefined;
  /** Looks up names. @default {dns.lookup} */
  lookup?: Lookup | undefined;
  /** Closes the socket when it is aborted. */
  signal?: AbortSignal | undefined;
  /** Peers whose datagrams are ignored. */
  receiveBlockList?: AddressList | undefined;
  /** Peers that are not sent to. */
  sendBlockList?: AddressList | undefined;
  /**
   * What carries the datagrams: `dgram()`, for example. `node:dgram` has no such
   * option, and on a simulated network it is ignored.
   * @default {Deno's own UDP; on Node and Bun `dgram()`}
   */
  carrier?: CarrierSource | undefined;
}

/** Where a socket is bound. */
export interface BindOptions {
  /** 0 to 65535; 0 is any free port. @default {0} */
  port?: number | undefined;
  /** An IP address or a name. @default {all interfaces} */
  address?: string | undefined;
  /** Has no effect: no address is shared with the workers of a cluster. */
  exclusive?: boolean | undefined;
  /** Is refused: no carrier takes a descriptor. */
  fd?: number | undefined;
}

/** What is called when a datagram was sent, or was not. */
export type Sent = (error: Error | null, bytes: number) => void;

/** What a datagram is made of: the parts of a list follow one another. */
export type Payload =
  | string
  | ArrayBufferView
  | readonly (string | ArrayBufferView)[];

/** The events of a socket, with what their listeners get. */
export interface SocketEvents {
  /** A datagram has arrived. */
  message: [data: Bytes, from: RemoteInfo];
  /** The socket is bound. */
  listening: [];
  /** The socket is connected. */
  connect: [];
  /** Something has failed that no callback gets. */
  error: [error: Error];
  /** The socket is closed: its address is free. */
  close: [];
}

/** A UDP socket, as `Socket` of `node:dgram`: an `EventEmitter`. */
export interface UdpSocket extends AsyncDisposable {
  /** The family. */
  readonly type: SocketType;
  /** Binds the socket to a free port of all interfaces. */
  bind(callback?: () => void): this;
  /** Binds the socket to a port of all interfaces. */
  bind(port: number | undefined, callback?: () => void): this;
  /** Binds the socket to an address. */
  bind(
    port: number | undefined,
    address: string | undefined,
    callback?: () => void,
  ): this;
  /** Binds the socket. */
  bind(options: BindOptions, callback?: () => void): this;
  /**
   * Restricts the socket to one peer. The callback gets the error if there is
   * one.
   */
  connect(port: number, callback?: (error?: Error) => void): void;
  /** Restricts the socket to one peer. */
  connect(
    port: number,
    address?: string,
    callback?: (error?: Error) => void,
  ): void;
  /** Ends the restriction to one peer. */
  disconnect(): void;
  /** Returns the address of the peer that the socket is connected to. */
  remoteAddress(): AddressInfo;
  /** Returns the local address. */
  address(): AddressInfo;
  /** Sends a datagram to the peer that the socket is connected to. */
  send(message: Payload, callback?: Sent): void;
  /** Sends a datagram. A socket that is not bound is bound first. */
  send(message: Payload, port?: number, callback?: Sent): void;
  /** Sends a datagram. A socket that is not bound is bound first. */
  send(
    message: Payload,
    port?: number,
    address?: string,
    callback?: Sent,
  ): void;
  /** Sends a part of the bytes to the peer that the socket is connected to. */
  send(
    message: string | ArrayBufferView,
    offset: number,
    length: number,
    callback?: Sent,
  ): void;
  /** Sends a part of the bytes. */
  send(
    message: string | ArrayBufferView,
    offset: number,
    length: number,
    port?: number,
    address?: string,
    callback?: Sent,
  ): void;
  /** As `send`, with all arguments. */
  sendto(
    message: string | ArrayBufferView,
    offset: number,
    length: number,
    port: number,
    address: string,
    callback?: Sent,
  ): void;
  /** Closes the socket. The callback is a listener of `close`. */
  close(callback?: () => void): this;
  /** Keeps the program running while the socket is open: the default. */
  ref(): this;
  /** Lets the program end although the socket is open. */
  unref(): this;
  /** Allows or forbids datagrams to broadcast addresses. */
  setBroadcast(isAllowed: boolean): void;
  /** Sets how many hops datagrams to single hosts may travel, and returns it. */
  setTTL(ttl: number): number;
  /** Sets how many hops datagrams to groups may travel, and returns it. */
  setMulticastTTL(ttl: number): number;
  /** Sets whether datagrams to groups also reach this machine, and returns it. */
  setMulticastLoopback(isOn: boolean): boolean;
  /** Sets the interface by which datagrams to groups leave. */
  setMulticastInterface(interfaceAddress: string): void;
  /** Joins a group. */
  addMembership(multicastAddress: string, interfaceAddress?: string): void;
  /** Leaves a group. */
  dropMembership(multicastAddress: string, interfaceAddress?: string): void;
  /** Joins a group for the datagrams of one source. */
  addSourceSpecificMembership(
    sourceAddress: string,
    groupAddress: string,
    interfaceAddress?: string,
  ): void;
  /** Leaves a group that was joined for one source. */
  dropSourceSpecificMembership(
    sourceAddress: string,
    groupAddress: string,
    interfaceAddress?: string,
  ): void;
  /** Returns the size of the system's receive buffer, in bytes. */
  getRecvBufferSize(): number;
  /** Sets the size of the system's receive buffer, in bytes. */
  setRecvBufferSize(size: number): void;
  /** Returns the size of the system's send buffer, in bytes. */
  getSendBufferSize(): number;
  /** Sets the size of the system's send buffer, in bytes. */
  setSendBufferSize(size: number): void;
  /** Returns how many bytes are being sent. */
  getSendQueueSize(): number;
  /** Returns how many datagrams are being sent. */
  getSendQueueCount(): number;
  /**
   * Returns how many datagrams the program did not get, by reason, which
   * `node:dgram` does not tell: `stranger` for those of others than the peer that
   * the socket is connected to, `denied` by `receiveBlockList`, `unheard` while
   * `message` had no listener, and what the carrier has dropped.
   */
  getDropped(): Record<string, number>;
  /** Adds a listener. */
  on<E extends keyof SocketEvents>(
    event: E,
    listener: (...args: SocketEvents[E]) => void,
  ): this;
  /** Adds a listener of an event of your own. */
  on(event: string | symbol, listener: (...args: never[]) => void): this;
  /** Adds a listener that is called once. */
  once<E extends keyof SocketEvents>(
    event: E,
    listener: (...args: SocketEvents[E]) => void,
  ): this;
  /** Adds a listener of an event of your own, which is called once. */
  once(event: string | symbol, listener: (...args: never[]) => void): this;
  /** As `on`. */
  addListener(
    event: string | symbol,
    listener: (...args: never[]) => void,
  ): this;
  /** Removes a listener. */
  off(event: string | symbol, listener: (...args: never[]) => void): this;
  /** As `off`. */
  removeListener(
    event: string | symbol,
    listener: (...args: never[]) => void,
  ): this;
  /** Removes all listeners, of one event or of all. */
  removeAllListeners(event?: string | symbol): this;
  /** Calls the listeners of an event. Returns whether there were any. */
  emit(event: string | symbol, ...args: unknown[]): boolean;
  /** Returns how many listeners an event has. */
  listenerCount(event: string | symbol): number;
}

/** A listener of `message`. */
export type MessageListener = (data: Bytes, from: RemoteInfo) => void;

/** The class of sockets. */
export interface SocketClass {
  /** What sockets inherit. */
  readonly prototype: UdpSocket;
  /** Makes a socket, as `createSocket` does. */
  new (type: SocketType | SocketOptions, listener?: MessageListener): UdpSocket;
}

/** What `node:dgram` exports. */
export interface DgramModule {
  /**
   * Makes a socket.
   *
   * @param listener A listener of `message`.
   */
  createSocket(
    type: SocketType | SocketOptions,
    listener?: MessageListener,
  ): UdpSocket;
  /** The class of sockets. */
  readonly Socket: SocketClass;
}
