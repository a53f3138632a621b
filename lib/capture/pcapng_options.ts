import { Broken, viewOf } from "./packet.ts";

/** Ends a list of options. */
export const END = 0;
/** A comment, on any block. */
export const COMMENT = 1;
/** Of a section: the program that wrote it. */
export const USER_APPLICATION = 4;
/** Of an interface: its name. */
export const NAME = 2;
/** Of an interface: the unit of its time stamps. */
export const TSRESOL = 9;
/** Of an interface: the seconds to add to its time stamps. */
export const TSOFFSET = 14;

/** An option of a block. */
export interface BlockOption {
  readonly code: number;
  readonly value: Uint8Array;
}

/**
 * Reads the options of a block.
 *
 * @param start Where they begin in its body.
 * @param at Where the block begins in the file.
 * @throws {Broken} One is longer than the block.
 */
export function optionsIn(
  body: Uint8Array,
  start: number,
  isLittle: boolean,
  at: number,
): BlockOption[] {
  const options: BlockOption[] = [];
  const view = viewOf(body);
  let offset = start;
  while (offset + 4 <= body.length) {
    const code = view.getUint16(offset, isLittle);
    const length = view.getUint16(offset + 2, isLittle);
    offset += 4;
    if (code === END) break;
    if (offset + length > body.length) {
      throw new Broken("an option is longer than its block", at);
    }
    options.push({ code, value: body.subarray(offset, offset + length) });
    offset += padded(length);
  }
  return options;
}

/** Returns a length, rounded up to whole words of 4 bytes. */
export function padded(length: number): number {
  return (length + 3) & ~3;
}
