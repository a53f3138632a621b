import type { Addr } from "../../addr.ts";
import { formatAddress } from "../../address/address.ts";
import type { Datagram } from "../../datagram.ts";
import { escapeControlsInJson } from "../../escape.ts";
import type { Message } from "../../sink.ts";

const PREVIEW_BYTES = 1024;

/** A datagram as JSON: text where it is UTF-8, else base64. */
export interface DatagramJson {
  from: string;
  size: number;
  truncated: boolean;
  text?: string;
  base64?: string;
}

/** A message as JSON. */
export interface MessageJson extends DatagramJson {
  id: number;
  time: string;
  /** Whether only the first bytes are here, and `size` tells of all. */
  cut?: true;
}

/** JSON on one line, safe for a terminal whatever a peer sent. */
export function stringify(value: unknown): string {
  return escapeControlsInJson(JSON.stringify(value));
}

/** A datagram with all its bytes. */
export function datagramJson(datagram: Datagram<Addr>): DatagramJson {
  return { ...head(datagram), ...content(datagram.data, false) };
}

/** A message with all its bytes. */
export function messageJson({ id, time, datagram }: Message): MessageJson {
  return { id, time: time.toISOString(), ...datagramJson(datagram) };
}

/** A message with at most its first 1,024 bytes. */
export function previewJson(message: Message): MessageJson {
  const { id, time, datagram } = message;
  if (datagram.data.length <= PREVIEW_BYTES) return messageJson(message);
  return {
    id,
    time: time.toISOString(),
    ...head(datagram),
    ...content(datagram.data.subarray(0, PREVIEW_BYTES), true),
    cut: true,
  };
}

function head({ data, from, truncated }: Datagram<Addr>): DatagramJson {
  return { from: formatAddress(from), size: data.length, truncated };
}

function content(
  data: Uint8Array,
  cut: boolean,
): { text: string } | { base64: string } {
  try {
    // A cut may go through a character, which is then left out. A decoder that
    // streamed keeps that rest, so each call has its own.
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { text: utf8.decode(data, { stream: cut }) };
  } catch {
    return { base64: data.toBase64() };
  }
}
