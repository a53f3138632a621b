import { escapeControls } from "../escape.ts";

// How each byte is written. It is made when the first message needs it.
let table: readonly string[] | undefined;

/**
 * Writes bytes as printable ASCII: control characters as `escapeControls` writes
 * them, and each byte beyond ASCII as `\xHH`.
 */
export function escapeBytes(data: Uint8Array): string {
  table ??= Array.from({ length: 256 }, (_, byte) => shown(byte));
  let text = "";
  for (let i = 0; i < data.length; i++) text += table[data[i]!];
  return text;
}

function shown(byte: number): string {
  return byte < 0x80
    ? escapeControls(String.fromCharCode(byte))
    : `\\x${byte.toString(16)}`;
}
