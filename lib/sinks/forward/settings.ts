import { type Addr, isConnected, schemeOf } from "../../addr.ts";
import type { CarrierSource } from "../../carrier.ts";
import type { FramingName } from "../../carriers/tcp.ts";
import type { Bucket } from "../../limits/rate.ts";
import type { DatagramSocket } from "../../socket/datagram_socket.ts";
import { proxyHeader, senderLine } from "./origin.ts";

/** What of a message is forwarded. */
interface Encodable {
  readonly data: Uint8Array;
  readonly from: Addr;
}

/** How messages are forwarded: options, checked. */
export interface Settings {
  readonly socket: DatagramSocket<Addr>;
  readonly carrier: CarrierSource | undefined;
  readonly limit: ConstructorParameters<typeof Bucket>[0] | undefined;
  readonly maxQueued: number;
  readonly maxQueuedBytes: number;
  readonly onTrouble: ((line: string) => void) | undefined;
  /** Returns what is sent for a message: one part, or two lines. */
  readonly encode: (message: Encodable) => readonly Uint8Array[];
}

const NEWLINE = 0x0a;

/**
 * Returns what encodes messages.
 *
 * @param receiver The address of the socket that receives the messages.
 */
export function encoder(
  address: Addr,
  framing: FramingName,
  sender: boolean,
  receiver: Addr,
): Settings["encode"] {
  if (!sender) return ({ data }) => [data];
  if (!isConnected(address)) {
    return ({ data, from }) => [joined(proxyHeader(from, receiver), data)];
  }
  const isStream = schemeOf(address) !== "quic";
  if (!isStream || framing !== "line") {
    const end = Uint8Array.of(NEWLINE);
    return ({ data, from }) => [joined(senderLine(from), end, data)];
  }
  return ({ data, from }) => {
    const newline = data.indexOf(NEWLINE);
    if (newline < 0) return [senderLine(from), data];
    // The carrier would refuse the message when its sender is sent already.
    throw new TypeError(
      `it has a newline at byte ${newline}, and is to be a line`,
    );
  };
}

function joined(...parts: Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
