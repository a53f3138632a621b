// Templates of NetFlow version 9 (RFC 3954): where the fields of records are.

/** The size of a record, and by type where a field is in it, and how long. */
export type Template = { size: number; fields: Map<number, [number, number]> };
export type Templates = Map<number, Template>;

/** The types of fields that are shown (section 8). */
// deno-fmt-ignore
export const FIELD = {
  bytes: 1, packets: 2, protocol: 4, port: 7, from: 8, toPort: 11, to: 12,
  from6: 27, to6: 28,
} as const;
const SHOWN: readonly number[] = Object.values(FIELD);
const MAX_TEMPLATES = 1000;

/** The records of version 5, as if it had a template. */
export const VERSION_5: Template = {
  size: 48,
  // deno-fmt-ignore
  fields: new Map([
    [FIELD.from, [0, 4]], [FIELD.to, [4, 4]], [FIELD.packets, [16, 4]],
    [FIELD.bytes, [20, 4]], [FIELD.port, [32, 2]], [FIELD.toPort, [34, 2]],
    [FIELD.protocol, [38, 1]],
  ]),
};

/** Keeps the templates of a template flow set, without its head (5.2). */
export function keepTemplates(set: DataView, templates: Templates): void {
  for (let at = 0; at + 4 <= set.byteLength;) {
    const [id, count] = [set.getUint16(at), set.getUint16(at + 2)];
    const template: Template = { size: 0, fields: new Map() };
    at += 4;
    for (const end = at + 4 * count; at < end; at += 4) {
      const [type, length] = [set.getUint16(at), set.getUint16(at + 2)];
      if (SHOWN.includes(type)) {
        template.fields.set(type, [template.size, length]);
      }
      template.size += length;
    }
    keep(id, template, templates);
  }
}

/** Keeps those of options, whose records are about the exporter (6.1). */
export function keepOptions(set: DataView, templates: Templates): void {
  for (let at = 0; at + 6 <= set.byteLength;) {
    keep(set.getUint16(at), { size: 0, fields: new Map() }, templates);
    at += 6 + set.getUint16(at + 2) + set.getUint16(at + 4);
  }
}

function keep(id: number, template: Template, templates: Templates): void {
  if (templates.size < MAX_TEMPLATES || templates.has(id)) {
    templates.set(id, template);
  }
}
