import type { Addr, NetAddr } from "../../addr.ts";
import type { CarrierSource } from "../../carrier.ts";
import type { Datagram } from "../../datagram.ts";
import type { BaseSocket } from "../../socket/base_socket.ts";
import type { ConnectedSocket } from "../../socket/connected_socket.ts";
import type { DatagramSocket } from "../../socket/datagram_socket.ts";

/** How often something is sent over a carrier that loses datagrams. */
export const TRIES = 40;

/** What the carrier can do; see `ContractOptions`. */
export interface Abilities {
  readonly answers: boolean;
  readonly ordered: boolean;
  readonly lossless: boolean;
  readonly largest: number;
  readonly reserved: number | undefined;
  readonly sendToUnbound: "resolves" | "rejects" | "either";
}

/** What a check is run with. */
export interface Setup {
  readonly carrier: CarrierSource;
  /** Returns an address to bind. */
  readonly address: () => string;
  readonly lossless: boolean;
  /** How the check differs from others. */
  readonly needs: Needs;
}

/** What a check may need. */
export interface Needs {
  /** That of the socket. @default {the carrier's} */
  readonly maxSize?: number;
  /**
   * Whether it sends more than a receiver's buffer holds: a carrier without
   * connections may then lose datagrams. @default {false}
   */
  readonly overfills?: boolean;
}

/** What a check works with; all of it is closed after the check. */
export interface Ends extends Pick<Setup, "carrier" | "address"> {
  readonly socket: DatagramSocket;
  /** The address of the socket, as a copy for each use. */
  readonly bound: NetAddr;
  /** A client of the socket. */
  readonly client: ConnectedSocket;
  /** Opens another client. The address is read at once. */
  another(to?: NetAddr): Promise<ConnectedSocket>;
  /** Sends to the socket and receives there; again if the carrier may lose it. */
  pass(
    message: Uint8Array | string,
    from?: ConnectedSocket,
  ): Promise<Datagram<NetAddr>>;
  /** Receives, or returns `undefined` if the carrier has lost the datagram. */
  next<A extends Addr>(receiver: Receiver<A>): Promise<Datagram<A> | undefined>;
  /** Receives texts: that many, or fewer if the carrier has lost some. */
  texts(receiver: Receiver<Addr>, count: number): Promise<string[]>;
  /** How long `next` waits, in milliseconds. */
  readonly patienceMs: number;
}

/** A socket of either kind. */
export type Socket = BaseSocket<NetAddr>;

/** What receives. */
export interface Receiver<A extends Addr> {
  receive(options: { timeoutMs: number }): Promise<Datagram<A>>;
}

/** Registers one check. */
export type Check = (
  promise: string,
  run: (ends: Ends) => Promise<void>,
  needs?: Needs,
) => void;
