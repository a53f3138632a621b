import type { Addr } from "../../addr.ts";
import { formatAddress } from "../../address/address.ts";
import type { Datagram } from "../../datagram.ts";
import { escapeControlsInJson } from "../../escape.ts";
import type { Message } from "../../sink.ts";

const PREVIEW_BYTES = 1024;

/** A datagram as JSON: its bytes as text if they are UTF-8, otherwise as base64. */
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
  /** Present if these are only the first of `size` bytes. */
  cut?: true;
}

/** Returns JSON on one line, safe for a terminal whatever a peer sent. */
export function stringify(value: unknown): string {
  return escapeControlsInJson(JSON.stringify(value));
}

/** Converts a datagram with all its bytes. */
export function datagramJson(datagram: Datagram<Addr>): DatagramJson {
  return { ...head(datagram), ...content(datagram.data, false) };
}

/** Converts a message with all its bytes. */
export function messageJson({ id, time, datagram }: Message): MessageJson {
  return { id, time: time.toISOString(), ...datagramJson(datagram) };
}

/** Converts a message with at most its first 1,024 bytes. */
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
    // A character that the cut divides is left out. A decoder keeps the rest of
    // a stream, so each call has one of its own.
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { text: utf8.decode(data, { stream: cut }) };
  } catch {
    return { base64: data.toBase64() };
  }
}
