// Controls that text does not have: all but tab, line feed and return.
const BINARY = /[^\t\n\r -~\xa0-\uffff]/;

/**
 * Returns the first bytes as quoted text, or as hexadecimal if they are not text.
 * Control characters are not escaped.
 *
 * @param most How many bytes are shown, at most.
 */
export function firstBytes(data: Uint8Array, most: number): string {
  const first = data.subarray(0, most);
  const stream = first.length < data.length;
  const more = stream ? "…" : "";
  try {
    const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    // `stream` accepts a character that the cut splits.
    const text = utf8.decode(first, { stream });
    if (!BINARY.test(text)) return `"${text}"${more}`;
  } catch {
    // Not UTF-8.
  }
  return `${hexOf(first)}${more}`;
}

/** Returns the bytes as hexadecimal. Node 24 has no `toHex`. */
function hexOf(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}
