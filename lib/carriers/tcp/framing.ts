import { line, nul } from "./framing/delimited.ts";
import type { Framing } from "./framing/framing.ts";
import { length } from "./framing/length.ts";
import { octet } from "./framing/octet.ts";

/** The ways to separate messages in a stream of bytes. */
export type FramingName = "line" | "length" | "octet" | "nul";

/** All framings by name. */
export const FRAMINGS: Readonly<Record<FramingName, Framing>> = {
  line,
  length,
  octet,
  nul,
};
