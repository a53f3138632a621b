import { ok } from "node:assert/strict";
import type { Addr, NetAddr } from "../../addr.ts";
import type { CarrierSource } from "../../carrier.ts";
import type { Datagram } from "../../datagram.ts";
import { errors } from "../../errors.ts";
import { bind, connect } from "../../open.ts";
import type { ConnectedSocket } from "../../socket/connected_socket.ts";
import type { DatagramSocket } from "../../socket/datagram_socket.ts";

// How long a datagram may take before one that may have been lost is sent again.
const AGAIN_MS = 250;
/** How often something is sent over a carrier that loses datagrams. */
export const TRIES = 40;
const NEWLINE = 0x0a;

/** What the carrier can do; see `ContractOptions`. */
export interface Abilities {
  readonly answers: boolean;
  readonly ordered: boolean;
  readonly lossless: boolean;
  readonly largest: number;
  readonly binary: boolean;
  readonly sendToUnbound: "resolves" | "rejects" | "either";
}

/** What a check is run with. */
export interface Setup {
  readonly carrier: CarrierSource;
  /** Returns an address to bind. */
  readonly address: () => string;
  readonly lossless: boolean;
  /** That of the socket. */
  readonly maxSize: number | undefined;
}

/** What a check works with; all of it is closed after the check. */
export interface Ends extends Setup {
  readonly socket: DatagramSocket;
  /** A client of the socket. */
  readonly client: ConnectedSocket;
  /** Opens another client. */
  another(): Promise<ConnectedSocket>;
  /** Sends to the socket and receives there; again if the carrier may lose it. */
  pass(
    message: Uint8Array | string,
    from?: ConnectedSocket,
  ): Promise<Datagram<NetAddr>>;
  /** Receives, or returns `undefined` if the carrier has lost the datagram. */
  next<A extends Addr>(receiver: Receiver<A>): Promise<Datagram<A> | undefined>;
  /** How long `next` waits, in milliseconds. */
  readonly patienceMs: number;
}

/** A socket of either kind. */
interface Receiver<A extends Addr> {
  receive(options: { timeoutMs: number }): Promise<Datagram<A>>;
}

/** Registers one check. */
export type Check = (
  promise: string,
  run: (ends: Ends) => Promise<void>,
  maxSize?: number,
) => void;

/** Opens a socket and a client, and runs a check with them. */
export async function withEnds(
  setup: Setup,
  run: (ends: Ends) => Promise<void>,
): Promise<void> {
  const { carrier, address, lossless, maxSize } = setup;
  const patienceMs = lossless ? Infinity : AGAIN_MS;
  await using socket = bind(address(), { carrier, maxSize });
  await socket.opened;
  await using clients = new AsyncDisposableStack();
  const another = async () =>
    clients.use(await connect(socket.addr, { carrier }));
  const client = await another();
  const next: Ends["next"] = (receiver) => received(receiver, patienceMs);
  const pass: Ends["pass"] = async (message, from = client) => {
    for (let tries = 1; tries < TRIES; tries++) {
      await from.send(message);
      const datagram = await next(socket);
      if (datagram !== undefined) return datagram;
    }
    await from.send(message);
    return await socket.receive();
  };
  await run({ ...setup, socket, client, another, pass, next, patienceMs });
}

async function received<A extends Addr>(
  receiver: Receiver<A>,
  timeoutMs: number,
): Promise<Datagram<A> | undefined> {
  try {
    return await receiver.receive({ timeoutMs });
  } catch (error) {
    if (error instanceof errors.TimedOut) return undefined;
    throw error;
  }
}

/** Changes bytes to some that the carrier can carry. */
export function carriable(
  bytes: Uint8Array,
  { binary }: Pick<Abilities, "binary">,
): Uint8Array {
  return binary ? bytes : bytes.map((byte) => byte === NEWLINE ? 0 : byte);
}

/** Compares bytes without a diff, which takes minutes for long ones. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array): void {
  const differs = expected.findIndex((byte, i) => byte !== actual[i]);
  ok(
    actual.length === expected.length && differs < 0,
    `${actual.length} bytes, not ${expected.length}; the first that differs: ${differs}`,
  );
}
