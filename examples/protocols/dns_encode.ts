// Encodes messages of DNS (RFC 1035, section 4), without compression.

// deno-fmt-ignore
export const TYPES: { readonly [name: string]: number } =
  { A: 1, NS: 2, CNAME: 5, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 };

export type Question = { name: string; type: number; class: number };
export type Answer = Question & { ttl: number; data: Uint8Array };
export type Message<A extends Question = Answer> = {
  id: number;
  flags: number;
  questions: Question[];
  answers: A[];
};

export function encode(message: Message): Uint8Array<ArrayBuffer> {
  const { id, flags, questions, answers } = message;
  const counts = [questions.length, answers.length, 0, 0];
  return Uint8Array.from([
    ...[id, flags, ...counts].flatMap(u16),
    ...questions.flatMap(question),
    ...answers.flatMap((answer) => [
      ...question(answer),
      ...[answer.ttl >> 16, answer.ttl, answer.data.length].flatMap(u16),
      ...answer.data,
    ]),
  ]);
}

function question({ name, type, class: c }: Question): number[] {
  const utf8 = new TextEncoder();
  const labels = name.split(".").filter(Boolean).map((l) => utf8.encode(l));
  const bytes = [...labels.flatMap((l) => [l.length, ...l]), 0];
  if (bytes.length > 255 || labels.some((label) => label.length > 63)) {
    throw new Error(`The name is too long: ${name}`);
  }
  return [...bytes, ...u16(type), ...u16(c)];
}

function u16(n: number): number[] {
  return [n >> 8 & 255, n & 255];
}
