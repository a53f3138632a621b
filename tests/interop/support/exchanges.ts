/** Exchanges between the programs and a peer. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { pattern } from "../../support/helpers.ts";
import { run, startServer } from "../../process/support/programs.ts";

const encoder = new TextEncoder();

export interface Message {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
}

export const EMPTY: Message = { name: "0 bytes", bytes: new Uint8Array() };
export const BONJOUR: Message = {
  name: "34 bytes",
  bytes: encoder.encode("Bonjour je vous envoi un message !"),
};
/** With the bytes that end a string in C, and a line. */
const NOT_UTF8: Message = {
  name: "bytes that are not UTF-8",
  bytes: new Uint8Array([0xff, 0x00, 0x0a, 0xc3, 0x0d, 0x80]),
};

/** Makes a message of that size, of bytes that are not UTF-8. */
export function sized(size: number): Message {
  return { name: `${size.toLocaleString("en")} bytes`, bytes: pattern(size) };
}

/** The longest message over IPv4. */
export const LONGEST = sized(65_507);
/** Messages that fit one packet on Ethernet. */
export const SMALL: Message[] = [BONJOUR, NOT_UTF8, sized(1472)];
/** All but the empty one, which many peers cannot send. */
export const MESSAGES: Message[] = [...SMALL, sized(9000), LONGEST];

/** Checks that a server receives the one message that a peer sends, unchanged. */
export async function serverReceives(
  { bytes }: Message,
  send: (port: string) => Promise<unknown>,
): Promise<void> {
  const empty = bytes.length === 0;
  const format = empty ? "json" : "raw";
  await using server = await start(["--once", "--format", format]);
  await send(portOf(server.address));
  const result = await server.ended();
  assertEquals(result.code, 0, result.stderr);
  if (empty) {
    const { size, truncated, text } = JSON.parse(result.stdout);
    assertEquals({ size, truncated, text }, {
      size: 0,
      truncated: false,
      text: "",
    });
  } else {
    assertSameBytes(result.bytes, bytes);
  }
  assertStringIncludes(
    result.stderr,
    empty ? '{"received":1,"bytes":0,' : `received ${one(bytes)}`,
  );
}

/** Returns the sizes of the messages that a server receives from a peer. */
export async function sizesAtServer(
  count: number,
  send: (port: string) => Promise<unknown>,
): Promise<number[]> {
  await using server = await start(["--count", `${count}`, "--format", "json"]);
  await send(portOf(server.address));
  const { code, stdout, stderr } = await server.ended();
  assertEquals(code, 0, stderr);
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line).size);
}

/** Checks that a peer that sends a message to a server gets it back. */
export async function serverEchoes(
  { bytes }: Message,
  ask: (port: string) => Promise<Uint8Array>,
): Promise<void> {
  await using server = await start(["--once", "--echo"]);
  const echo = await ask(portOf(server.address));
  const { code, stderr } = await server.ended();
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, `sent ${one(bytes)}`);
  assertSameBytes(echo, bytes);
}

/** Sends a message by the client. */
export async function clientSends(
  { bytes }: Message,
  address: string,
): Promise<void> {
  const { code, stdout, stderr } = await client(bytes, address, []);
  assertEquals([code, stdout], [0, ""], stderr);
  assertEquals(stderr, `sent ${one(bytes)}\n`);
}

/** Checks that the client gets that reply to a message. */
export async function clientReceives(
  { bytes }: Message,
  reply: Message,
  address: string,
): Promise<void> {
  const result = await client(bytes, address, [
    "--wait",
    "--timeout",
    "60s",
    "--format",
    "raw",
  ]);
  assertEquals(result.code, 0, result.stderr);
  assertSameBytes(result.bytes, reply.bytes);
  assertStringIncludes(result.stderr, `received ${one(reply.bytes)}`);
}

/** Compares bytes without a diff, which takes minutes for long ones. */
export function assertSameBytes(
  actual: Uint8Array,
  expected: Uint8Array,
): void {
  const differ = expected.findIndex((byte, i) => byte !== actual[i]);
  assert(
    actual.length === expected.length && differ < 0,
    `${actual.length} bytes, not ${expected.length}; the first that differs: ${differ}`,
  );
}

/** Starts a server that waits for a minute at most. */
export function start(args: string[]): ReturnType<typeof startServer> {
  return startServer([...args, "--timeout", "60s"]);
}

export function portOf(address: string): string {
  return new URL(address).port;
}

function client(bytes: Uint8Array, address: string, options: string[]) {
  const args = ["--to", address, ...options];
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return run("client.ts", [...args, text]);
  } catch {
    // An argument is text.
    return run("client.ts", [...args, "--hex"], { stdin: bytes.toHex() });
  }
}

function one(bytes: Uint8Array): string {
  return `1 message (${bytes.length} bytes)`;
}
