// Decodes Open Sound Control 1.0 (opensoundcontrol.org/spec-1_0): everything is
// padded to multiples of four bytes, and a tag says the type of each value.

/** A message: each letter of `types` is the type of a value. */
export type Message = { path: string; types: string; values: string[] };

/**
 * Decodes a message, or those of a bundle.
 *
 * @throws {RangeError} It is malformed.
 */
export function decode(packet: Uint8Array): Message[] {
  const messages: Message[] = [];
  const parts = [packet]; // Bundles may be nested, deeper than calls can.
  for (let part = parts.pop(); part; part = parts.pop()) {
    const read = reader(part);
    const path = read.text();
    if (path === "#bundle") {
      read.bytes(8); // The time tag.
      const inner: Uint8Array[] = [];
      while (read.left() > 0) inner.push(read.bytes(read.view(4).getInt32(0)));
      parts.push(...inner.reverse());
    } else {
      const [, types] = /^,(.*)$/s.exec(read.text()) ?? [];
      if (types === undefined) throw new RangeError("malformed");
      messages.push({ path, types, values: [...types].flatMap(read.value) });
    }
  }
  return messages;
}

function reader(part: Uint8Array) {
  let at = 0;
  const bytes = (size: number) => {
    const start = at;
    at += size + 3 & ~3;
    if (size < 0 || at > part.length) throw new RangeError("malformed");
    return part.subarray(start, start + size);
  };
  const view = (size: number) => {
    const { buffer, byteOffset } = bytes(size);
    return new DataView(buffer, byteOffset, size);
  };
  const text = () => {
    const size = part.indexOf(0, at) - at; // Below 0 if there is no end.
    return new TextDecoder().decode(bytes(size + 1).subarray(0, size));
  };
  const value = (type: string): string | string[] => {
    if (type === "i") return `${view(4).getInt32(0)}`;
    if (type === "f") return `${view(4).getFloat32(0)}`;
    if (type === "d") return `${view(8).getFloat64(0)}`;
    if (type === "h" || type === "t") return `${view(8).getBigInt64(0)}`;
    if (type === "s" || type === "S") return JSON.stringify(text());
    if (type === "b") return bytes(view(4).getInt32(0)).toHex();
    if ("rcm".includes(type)) return bytes(4).toHex();
    if ("TFNI[]".includes(type)) return []; // The type says it all.
    throw new RangeError("malformed");
  };
  return { bytes, view, text, value, left: () => part.length - at };
}
