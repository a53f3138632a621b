import { count } from "../count.ts";
import type { Addr } from "../addr.ts";
import { cyan, dim, yellow } from "@std/fmt/colors";
import { formatAddress } from "../address/address.ts";
import type { Datagram } from "../datagram.ts";
import { escapeControls, escapeControlsInJson } from "../escape.ts";
import { escapeBytes } from "./escaped_bytes.ts";
import { oneOf, UsageError } from "./options.ts";

const FORMATS = ["text", "json", "hex", "raw"] as const;

/** The name of a format. */
export type FormatName = typeof FORMATS[number];

/** Returns a datagram, received at that time, in a format. */
export type Format = (datagram: Datagram<Addr>, time: Date) => Uint8Array;

const encoder = new TextEncoder();
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads `--format`.
 *
 * @param further Formats of bytes that the program has besides.
 * @throws {UsageError} Not a format, or one of bytes on a terminal, which control
 * characters from the network would command.
 */
export function formatName<Further extends string = never>(
  text: string | undefined,
  further: readonly Further[] = [],
): FormatName | Further {
  const name = oneOf<FormatName | Further>(
    "format",
    text,
    [...FORMATS, ...further],
    "text",
  );
  const isLines = name !== "raw" && !further.some((other) => other === name);
  if (isLines || !Deno.stdout.isTerminal()) return name;
  throw new UsageError(
    `--format ${name} does not write to a terminal, which control characters would command; send the output to a file or a pipe`,
  );
}

/** Returns the function that writes a format. All but `raw` write one line. */
export function formatter(name: FormatName): Format {
  switch (name) {
    case "text":
      return (datagram, time) => line(datagram, time, printable(datagram.data));
    case "hex":
      return (datagram, time) => line(datagram, time, datagram.data.toHex());
    case "json":
      return json;
    case "raw":
      return ({ data }) => data;
  }
}

function line(
  { data, from, truncated }: Datagram<Addr>,
  time: Date,
  content: string,
): Uint8Array {
  const size = count(data.length, "byte");
  const fields = [
    dim(time.toISOString()),
    cyan(escapeControls(formatAddress(from))),
    // Before the content, which might end with the same word.
    truncated ? yellow(`${size}, truncated`) : size,
    content,
  ];
  return encoder.encode(`${fields.join("  ")}\n`);
}

function json(
  { data, from, truncated }: Datagram<Addr>,
  time: Date,
): Uint8Array {
  const text = decode(data);
  const object = {
    time: time.toISOString(),
    from: formatAddress(from),
    size: data.length,
    truncated,
    ...(text === undefined ? { base64: data.toBase64() } : { text }),
  };
  return encoder.encode(`${escapeControlsInJson(JSON.stringify(object))}\n`);
}

/** The text, or if it is not UTF-8, each byte that is not ASCII as `\xHH`. */
function printable(data: Uint8Array): string {
  const text = decode(data);
  return text === undefined ? escapeBytes(data) : escapeControls(text);
}

function decode(data: Uint8Array): string | undefined {
  try {
    return utf8.decode(data);
  } catch {
    return undefined;
  }
}
