/** Exchanges between the programs and a peer over tcp and tls. */
import { assertEquals } from "@std/assert";
import { pattern } from "../../support/helpers.ts";
import { Program, type Result, run } from "../../process/support/programs.ts";
import { assertSameBytes, BONJOUR, type Message, portOf } from "./exchanges.ts";

const NEWLINE = 0x0a;

/** Messages that are lines: of any bytes but a newline. */
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

/** Returns the message with a newline at its end. */
export function lineOf({ bytes }: Message): Uint8Array {
  return Uint8Array.from([...bytes, NEWLINE]);
}

/** Starts a server of that scheme that waits 20 s at most. */
export async function serve(
  scheme: string,
  args: string[],
  flags: string[] = [],
) {
  const server = new Program("server.ts", [
    `${scheme}://127.0.0.1:0`,
    ...args,
    ...["--timeout", "60s"],
  ], { flags: ["--allow-net=127.0.0.1", ...flags] });
  const [, address = ""] = await server.said(/^listening on (\S+)$/);
  return Object.assign(server, { port: portOf(address) });
}

/** Checks that a server shows the message, unchanged. */
export async function assertReceived(
  server: { ended(): Promise<Result> },
  { bytes }: Message,
): Promise<void> {
  const result = await server.ended();
  assertEquals(result.code, 0, result.stderr);
  assertSameBytes(result.bytes, bytes);
}

/** Runs the client with a message that need not be text. */
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
