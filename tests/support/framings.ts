/** What the bytes of a stream hold, found in the plainest way. */
import type { FramingName } from "../../lib/carriers/tcp/framing.ts";

/** The messages of a stream that has ended, and whether anything is left. */
export interface Found {
  messages: Uint8Array[];
  /** Whether a part of a message is left, or what is no message. */
  partial: boolean;
  malformed: boolean;
}

/** Returns what is in the whole stream. */
export function messagesIn(bytes: Uint8Array, framing: FramingName): Found {
  switch (framing) {
    case "line":
      return delimited(bytes, 0x0a, 0x0d);
    case "nul":
      return delimited(bytes, 0x00);
    case "length":
      return counted(bytes, (rest) => {
        const [high, low] = rest;
        return high === undefined || low === undefined
          ? undefined
          : [2, high * 256 + low];
      });
    case "octet":
      return counted(bytes, (rest) => {
        const text = String.fromCharCode(...rest.subarray(0, 12));
        const [head, digits] = /^(0|[1-9]\d*) /.exec(text) ?? [];
        if (head !== undefined && Number(digits) <= 64 * 1024 * 1024) {
          return [head.length, Number(digits)];
        }
        const isBegun = /^(0|[1-9]\d*)?$/.test(text) &&
          Number(text) <= 64 * 1024 * 1024;
        return isBegun ? undefined : "malformed";
      });
  }
}

function delimited(
  bytes: Uint8Array,
  delimiter: number,
  removed?: number,
): Found {
  const messages: Uint8Array[] = [];
  const add = (message: Uint8Array) => {
    const last = message.at(-1);
    const isRemoved = last !== undefined && last === removed;
    messages.push(isRemoved ? message.slice(0, -1) : message.slice());
  };
  let rest = bytes;
  for (let at; (at = rest.indexOf(delimiter)) >= 0;) {
    add(rest.subarray(0, at));
    rest = rest.subarray(at + 1);
  }
  if (rest.length > 0) add(rest);
  return { messages, partial: false, malformed: false };
}

function counted(
  bytes: Uint8Array,
  read: (rest: Uint8Array) => [number, number] | "malformed" | undefined,
): Found {
  const messages: Uint8Array[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const head = read(rest);
    if (head === "malformed") {
      return { messages, partial: true, malformed: true };
    }
    const [size, length] = head ?? [Infinity, 0];
    if (rest.length < size + length) {
      return { messages, partial: true, malformed: false };
    }
    messages.push(rest.slice(size, size + length));
    rest = rest.subarray(size + length);
  }
  return { messages, partial: false, malformed: false };
}
