import { type ByteReader, viewOf } from "./byte_reader.ts";

const SIZE = 9;

/** How much is read of a first stream at a time: frames are short and few. */
export const CONTROL_READ = 512;

/** The frames that both ends send beside their messages. */
export const KIND = {
  /** The number of messages taken from the stream so far. */
  taken: 1,
  /** The number of datagrams sent; before a goodbye. */
  datagrams: 2,
  /** The number of messages sent; no more will follow. */
  goodbye: 3,
  /** The reply to a goodbye: the number of messages taken. */
  answer: 4,
} as const;

/** A kind and its count. */
export interface Frame {
  kind: number;
  count: number;
}

/**
 * The first stream of a connection after the hellos: frames of a kind (1 byte)
 * and a count (8 bytes).
 */
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

  /** Sends a frame. A failure is ignored: the connection reports its end. */
  async send(kind: number, count: number): Promise<void> {
    const view = new DataView(new ArrayBuffer(SIZE));
    view.setUint8(0, kind);
    view.setBigUint64(1, BigInt(count));
    await this.#writer.write(new Uint8Array(view.buffer)).catch(() => {});
  }

  /** Receives the next frame; `undefined` when the connection has ended. */
  async receive(): Promise<Frame | undefined> {
    const frame = await this.#reader.take(SIZE).catch(() => undefined);
    if (frame === undefined) return undefined;
    const view = viewOf(frame);
    return { kind: view.getUint8(0), count: Number(view.getBigUint64(1)) };
  }
}
