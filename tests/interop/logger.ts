/**
 * logger, which sends syslog messages over UDP and reads no answer. It puts a
 * header before each message, so it cannot send an empty datagram, nor more than
 * 65,486 bytes of text after the shortest header; for a longer text it prints an
 * error and exits with 0. Without --size it cuts the text after 1 KiB.
 */
import { assertEquals, assertMatch } from "@std/assert";
import {
  assertSameBytes,
  BONJOUR,
  portOf,
  serverReceives,
  start,
} from "./support/exchanges.ts";
import { runPeer, testsWhere } from "./support/peers.ts";

const test = await testsWhere("command -v logger", "bsdutils");

const encoder = new TextEncoder();
const HEADER = "<133>1 - - pli - - - ";
const TEXT = new TextDecoder().decode(BONJOUR.bytes);

function log(port: string, args: string[], stdin?: Uint8Array) {
  const to = ["-d", "-n", "127.0.0.1", "-P", port, "-t", "pli"];
  return runPeer("logger", [...to, ...args], stdin);
}

// Without the parts that differ between machines and moments.
const SHORT = ["--rfc5424=notime,nohost,notq", "-p", "local0.notice"];

for (const size of [HEADER.length + 34, 1472, 9000, 65_507]) {
  const text = size === HEADER.length + 34
    ? TEXT
    : "x".repeat(size - HEADER.length);
  const name = `${size.toLocaleString("en")} bytes with its header`;
  test(`logger's RFC 5424 message reaches the server: ${name}`, () =>
    serverReceives(
      { name, bytes: encoder.encode(HEADER + text) },
      (port) => log(port, [...SHORT, "--size", "65507", text]),
    ));
}

test("logger's RFC 3164 message reaches the server: 34 bytes after its header", async () => {
  await using server = await start(["--once", "--format", "raw"]);
  await log(portOf(server.address), ["--rfc3164", TEXT]);
  const { stdout } = await server.ended();
  assertMatch(
    stdout,
    /^<13>\w{3} [ \d]\d \d\d:\d\d:\d\d \S+ pli: Bonjour je vous envoi un message !$/,
  );
});

test("each line of logger's input is one message, also if it is empty or not UTF-8", async () => {
  await using server = await start(["--count", "3", "--format", "json"]);
  const lines = new Uint8Array([0x61, 0x0a, 0x0a, 0xff, 0x01, 0xc3, 0x0a]);
  await log(portOf(server.address), SHORT, lines);
  const { stdout } = await server.ended();
  const [letter, empty, bytes] = stdout.trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  assertEquals(letter.text, `${HEADER}a`);
  assertEquals(empty.text, HEADER);
  assertSameBytes(
    Uint8Array.fromBase64(bytes.base64),
    new Uint8Array([...encoder.encode(HEADER), 0xff, 0x01, 0xc3]),
  );
});

test("an escape sequence passes logger, and the server escapes it", async () => {
  await using server = await start(["--once"]);
  await log(portOf(server.address), SHORT, encoder.encode("\x1b[2J\n"));
  const { stdout } = await server.ended();
  assertEquals(stdout.split("  ").at(-1), `${HEADER}\\x1b[2J\n`);
});
