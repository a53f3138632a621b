// Decodes the flows of NetFlow version 5 and version 9 (RFC 3954).

import {
  FIELD,
  keepOptions,
  keepTemplates,
  type Template,
  type Templates,
  VERSION_5,
} from "./netflow_templates.ts";

/**
 * Yields each flow of an export as a line, and keeps the templates in it.
 *
 * @throws {RangeError} The export is malformed.
 */
export function* flows(
  { buffer, byteOffset, length }: Uint8Array,
  templates: Templates,
): Generator<string> {
  const view = new DataView(buffer, byteOffset, length);
  if (view.getUint16(0) === 5) {
    const size = view.getUint16(2) * VERSION_5.size;
    if (24 + size > length) throw new RangeError("malformed");
    const set = new DataView(buffer, byteOffset + 24, size);
    return yield* records(set, VERSION_5);
  }
  for (let at = 20; at < length;) { // 5.1
    const [id, size] = [view.getUint16(at), view.getUint16(at + 2)];
    if (size < 4 || at + size > length) throw new RangeError("malformed");
    const set = new DataView(buffer, byteOffset + at + 4, size - 4);
    const template = templates.get(id);
    if (id === 0) keepTemplates(set, templates);
    else if (id === 1) keepOptions(set, templates);
    else if (template) yield* records(set, template);
    else yield `flows of template ${id}, which has not arrived yet`;
    at += size;
  }
}

function* records(set: DataView, { size, fields }: Template) {
  // What is left at the end is padding (5.3). Options have no fields here.
  for (let at = 0; size > 0 && at + size <= set.byteLength; at += size) {
    const bytes = (type: number) => {
      const [start, length] = fields.get(type) ?? [0, 0];
      const from = set.byteOffset + at + start;
      return new Uint8Array(set.buffer, from, length);
    };
    const number = (type: number) =>
      bytes(type).reduce((n, byte) => n * 256 + byte, 0);
    const host = (type: number, type6: number) =>
      fields.has(type) ? bytes(type).join(".") : `[${bytes(type6).toHex()}]`;
    yield `${host(FIELD.from, FIELD.from6)}:${number(FIELD.port)} → ` +
      `${host(FIELD.to, FIELD.to6)}:${number(FIELD.toPort)}  ` +
      `protocol ${number(FIELD.protocol)}  ` +
      `${number(FIELD.packets)} packets, ${number(FIELD.bytes)} bytes`;
  }
}
