/** How a socket is opened, besides its address. */
export interface ListenOptions {
  /** Whether to bind although another socket has the address. */
  readonly reuseAddress?: boolean | undefined;
  /** Whether an IPv6 socket at `::` leaves IPv4 to others. */
  readonly ipv6Only?: boolean | undefined;
  /** Whether several sockets share the address, and the system spreads the load. */
  readonly reusePort?: boolean | undefined;
  /** The size of the system's receive buffer, in bytes. */
  readonly receiveBuffer?: number | undefined;
  /** The size of the system's send buffer, in bytes. */
  readonly sendBuffer?: number | undefined;
}

/** A buffer of the system. */
export type BufferKind = "receive" | "send";

/**
 * What can be set on an open socket. A member that is absent cannot be set. Each
 * throws what the system reports, with its `code` (`EINVAL`) if there is one.
 */
export interface CarrierControl {
  /** Allows or forbids datagrams to broadcast addresses. */
  setBroadcast?(isAllowed: boolean): void;
  /** Sets how many hops datagrams to single hosts may travel. */
  setTtl?(hops: number): void;
  /** Sets how many hops datagrams to groups may travel. */
  setMulticastTtl?(hops: number): void;
  /** Sets whether datagrams to groups also reach members on this machine. */
  setMulticastLoopback?(isOn: boolean): void;
  /**
   * Sets the interface that datagrams to groups leave by: for IPv4 one of its
   * addresses, for IPv6 its name or index after `::%`.
   */
  setMulticastInterface?(address: string): void;
  /**
   * Joins a group.
   *
   * @param on The interface, as above. @default {the system's choice}
   * @param source The only host whose datagrams are received. @default {any}
   */
  join?(group: string, on?: string, source?: string): void;
  /** Leaves a group that was joined so. */
  leave?(group: string, on?: string, source?: string): void;
  /** Returns the size of a buffer, in bytes. */
  bufferSize?(kind: BufferKind): number;
  /** Sets the size of a buffer, in bytes. */
  setBufferSize?(kind: BufferKind, size: number): void;
}
