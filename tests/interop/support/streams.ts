/** What the programs and a peer say to each other over tcp and tls. */
import { assertEquals } from "@std/assert";
import { pattern } from "../../support/helpers.ts";
import { Program, type Result, run } from "../../process/support/programs.ts";
import { assertSameBytes, BONJOUR, type Message, portOf } from "./exchanges.ts";

const NEWLINE = 0x0a;

/** Messages that are lines: of any bytes but one. */
export const LINES: Message[] = [
  BONJOUR,
  {
    name: "bytes that are not UTF-8",
    bytes: new Uint8Array([0xff, 0x00, 0xc3, 0x0d, 0x80]),
  },
  {
    name: "65,000 bytes",
    bytes: pattern(65_000).map((byte) => byte === NEWLINE ? 0 : byte),
  },
];

/** The message with what ends a line. */
export function lineOf({ bytes }: Message): Uint8Array {
  return Uint8Array.from([...bytes, NEWLINE]);
}

/** A server of that scheme, which does not wait for ever. */
export async function serve(
  scheme: string,
  args: string[],
  flags: string[] = [],
) {
  const server = new Program("server.ts", [
    `${scheme}://127.0.0.1:0`,
    ...args,
    ...["--timeout", "20s"],
  ], { flags: ["--allow-net=127.0.0.1", ...flags] });
  const [, address] = await server.said(/^listening on (\S+)$/);
  return Object.assign(server, { port: portOf(address) });
}

/** What a server shows and a peer sends are the same. */
export async function assertReceived(
  server: { ended(): Promise<Result> },
  { bytes }: Message,
): Promise<void> {
  const result = await server.ended();
  assertEquals(result.code, 0, result.stderr);
  assertSameBytes(result.bytes, bytes);
}

/** Runs the client with that message, which may be no text. */
export async function client(
  { bytes }: Message,
  address: string,
  args: string[],
  flags: string[] = [],
): Promise<Uint8Array> {
  const result = await run("client.ts", ["--to", address, "--hex", ...args], {
    flags: ["--allow-net=127.0.0.1", ...flags],
    stdin: bytes.toHex(),
  });
  assertEquals(result.code, 0, result.stderr);
  return result.bytes;
}
