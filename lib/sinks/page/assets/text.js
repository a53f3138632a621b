// @ts-check
/** Formats text, bytes and numbers. */

// The same characters as in the library's `escapeControls`.
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** @type {Record<string, string>} */
const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

const numbers = new Intl.NumberFormat("en");

/**
 * Escapes every control character, so that the text is one line.
 *
 * @param {string} text
 */
export function escapeControls(text) {
  return text.replace(CONTROLS, (char) => SHORT[char] ?? escapeOne(char));
}

/** @param {string} char */
function escapeOne(char) {
  const hex = char.charCodeAt(0).toString(16);
  return hex.length > 2
    ? `\\u${hex.padStart(4, "0")}`
    : `\\x${hex.padStart(2, "0")}`;
}

/**
 * Returns the text of a message. Of bytes that are not UTF-8 it escapes those that
 * are not ASCII as `\xHH`.
 *
 * @param {{ text?: string, base64?: string }} message
 */
export function shownText({ text, base64 }) {
  if (text !== undefined) return escapeControls(text);
  const bytes = atob(base64 ?? "").replace(
    /[\x80-\xff]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16)}`,
  );
  return escapeControls(bytes);
}

/**
 * Returns a message's bytes, 16 per line, as offset, hex and ASCII.
 *
 * @param {{ text?: string, base64?: string }} message
 */
export function hexOf({ text, base64 }) {
  const bytes = text === undefined
    ? Uint8Array.from(atob(base64 ?? ""), (char) => char.charCodeAt(0))
    : new TextEncoder().encode(text);
  const lines = [];
  for (let start = 0; start < bytes.length; start += 16) {
    const part = Array.from(bytes.subarray(start, start + 16));
    const hex = part.map((byte) => byte.toString(16).padStart(2, "0"));
    const ascii = part.map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."
    );
    const offset = start.toString(16).padStart(4, "0");
    // Aligns the last line with the others, if there are any.
    const width = bytes.length > 16 ? 47 : 0;
    lines.push(`${offset}  ${hex.join(" ").padEnd(width)}  ${ascii.join("")}`);
  }
  return lines.length === 0 ? "no bytes" : lines.join("\n");
}

/** @param {number} value */
export function number(value) {
  return numbers.format(value);
}

/**
 * @param {number} value
 * @param {string} one
 */
export function count(value, one) {
  return `${number(value)} ${value === 1 ? one : `${one}s`}`;
}

/** @param {number} value */
export function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  const digits = unit > 0 && value < 100 ? 1 : 0;
  return `${value.toFixed(digits)} ${units[unit]}`;
}
