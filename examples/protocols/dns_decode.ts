// Decodes messages of DNS (RFC 1035, section 4).

import { type Message, type Question, TYPES } from "./dns_encode.ts";

/** A record; `text` is its data as a person reads it. */
export type Record = Question & { ttl: number; text: string };

/** Returns `undefined` if the message is malformed. */
export function decode(message: Uint8Array): Message<Record> | undefined {
  const { buffer, byteOffset, length } = message;
  const view = new DataView(buffer, byteOffset, length);
  let at = 0;
  const u8 = () => view.getUint8(at++); // Throws behind the end.
  const u16 = () => u8() << 8 | u8();
  const many = <T>(n: number, one: () => T) => Array.from({ length: n }, one);
  const utf8 = (n: number) =>
    new TextDecoder().decode(Uint8Array.from(many(n, u8)));
  const name = () => { // 4.1.4
    const labels: string[] = [];
    let after = 0;
    // Pointers count too, so that a loop of them ends.
    for (let size = 0, n = u8(); n > 0; n = u8()) {
      size += n < 64 ? n + 1 : 1;
      if (size > 254 || n > 63 && n < 192) throw new RangeError("malformed");
      if (n < 64) labels.push(utf8(n));
      else [at, after] = [(n & 63) << 8 | u8(), after || at];
    }
    at = after || at;
    return `${labels.join(".")}.`;
  };
  const question = () => ({ name: name(), type: u16(), class: u16() });
  const text = (type: number, end: number): string => {
    if (type === TYPES["A"]) return many(4, u8).join(".");
    if (type === TYPES["AAAA"]) {
      const groups = many(8, () => u16().toString(16)).join(":");
      return new URL(`udp://[${groups}]`).hostname.slice(1, -1);
    }
    if (type === TYPES["MX"]) return `${u16()} ${name()}`;
    if (type === TYPES["SRV"]) return `${many(3, u16).join(" ")} ${name()}`;
    const strings: string[] = [];
    while (at < end && type === TYPES["TXT"]) strings.push(utf8(u8()));
    if (type === TYPES["TXT"]) return JSON.stringify(strings.join(""));
    return [2, 5, 12].includes(type) ? name() : `${end - at} bytes`;
  };
  const record = () => {
    const start = { ...question(), ttl: u16() * 65536 + u16() };
    const end = u16() + at;
    const read = { ...start, text: text(start.type, end) };
    at = end;
    return read;
  };
  try {
    const [id = 0, flags = 0, asked = 0, answers = 0] = many(6, u16);
    const questions = many(asked, question);
    return { id, flags, questions, answers: many(answers, record) };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
