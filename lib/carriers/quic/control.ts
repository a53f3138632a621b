import type { ByteReader } from "./byte_reader.ts";
import { viewOf } from "./hello.ts";

const SIZE = 9;

/** What two ends tell each other beside their messages. */
export const KIND = {
  /** So many messages were taken from the stream. */
  taken: 1,
  /** So many datagrams were sent; before a goodbye. */
  datagrams: 2,
  /** So many messages were sent, and no more will be. */
  goodbye: 3,
  /** The answer to a goodbye: so many of them were taken. */
  answer: 4,
} as const;

/** The first stream, after the hellos: frames of a kind (1 byte) and a count (8). */
export class Control {
  readonly #reader: ByteReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(
    reader: ByteReader,
    writer: WritableStreamDefaultWriter<Uint8Array>,
  ) {
    this.#reader = reader;
    this.#writer = writer;
  }

  /** Says it. What cannot be said any more is shown by the connection. */
  async say(kind: number, count: number): Promise<void> {
    const view = new DataView(new ArrayBuffer(SIZE));
    view.setUint8(0, kind);
    view.setBigUint64(1, BigInt(count));
    await this.#writer.write(new Uint8Array(view.buffer)).catch(() => {});
  }

  /** What the other end says next; `undefined` when the connection has ended. */
  async hear(): Promise<{ kind: number; count: number } | undefined> {
    const frame = await this.#reader.take(SIZE).catch(() => undefined);
    if (frame === undefined) return undefined;
    return { kind: frame[0], count: Number(viewOf(frame).getBigUint64(1)) };
  }
}
