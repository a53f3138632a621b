/** What is written to capture files. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { CaptureEncoder, type DatagramToWrite } from "../lib/capture.ts";
import { ipText } from "../lib/address/host.ts";
import type { Addr } from "../mod.ts";
import { net, pattern } from "./support/helpers.ts";
import { cat, read } from "./support/captures.ts";

const NOW = 1_700_000_000_123_456_789n;

function datagram(changes: Partial<DatagramToWrite> = {}): DatagramToWrite {
  const [from, to] = [net("10.0.0.1", 40_000), net("10.0.0.2", 53)];
  return { time: NOW, from, to, data: pattern(5), ...changes };
}

/** The one's complement sum of 16-bit words: 0xffff if a checksum is in it. */
function sum(...parts: Uint8Array[]): number {
  let total = 0;
  for (const part of parts) {
    part.forEach((byte, i) => total += i % 2 === 0 ? byte * 256 : byte);
    while (total > 0xffff) total = (total & 0xffff) + (total >> 16);
  }
  return total;
}

/** The packet in the block of a datagram. */
function packetIn(block: Uint8Array | undefined): Uint8Array {
  const view = new DataView(block!.buffer);
  return block!.subarray(28, 28 + view.getUint32(20, true));
}

const ports = fc.integer({ min: 0, max: 65_535 });
// Groups of zeros are written in a form of their own.
const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 }));
const hosts = [4, 16].map((size) =>
  fc.array(group, { minLength: size, maxLength: size })
    .map((bytes) => ipText(new Uint8Array(bytes)))
);
const addresses = hosts.map((hosts) =>
  fc.tuple(hosts, ports).map(([hostname, port]) => net(hostname, port))
);

Deno.test("what is written is read back: any addresses, times, bytes and comments", async () => {
  const pairs = fc.oneof(...addresses.map((one) => fc.tuple(one, one)));
  const datagrams = fc.array(
    fc.record({
      pair: pairs,
      time: fc.bigInt(0n, 2n ** 64n - 1n),
      data: fc.uint8Array({ maxLength: 100 }),
      comments: fc.array(fc.string({ unit: "grapheme" }), { maxLength: 2 }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(datagrams, async (all) => {
      const given = all.map(({ pair: [from, to], ...rest }) => ({
        from,
        to,
        ...rest,
      }));
      const encoder = new CaptureEncoder();
      const file = [
        encoder.header,
        ...given.map((one) => encoder.encode(one)!),
      ];
      const { datagrams, error, stats } = await read(file);
      assertEquals(error, undefined);
      assertEquals([stats.datagrams, stats.packets], [all.length, all.length]);
      assertEquals(
        datagrams.map(({ packet: _, ...rest }) => rest),
        given.map(({ data, ...rest }) => ({
          ...rest,
          data: new Uint8Array(data),
        })),
      );
    }),
    { numRuns: 100 },
  );
});

Deno.test("checksums are true: of IPv4, and of UDP with odd and even lengths", () => {
  for (const size of [0, 1, 2, 999, 65_507]) {
    const packet = packetIn(
      new CaptureEncoder().encode(datagram({ data: pattern(size) })),
    );
    const ip = packet.subarray(14, 34);
    assertEquals(sum(ip), 0xffff);
    const length = cat([0, 17], packet.subarray(38, 40));
    const all = packet.subarray(34);
    const padded = cat(all, all.length % 2 === 0 ? [] : [0]);
    assertEquals(sum(ip.subarray(12), length, padded), 0xffff, `${size}`);
  }
});

Deno.test("a UDP checksum that comes to 0 is written as 0xffff", () => {
  const found = Array.from({ length: 65_536 }, (_, n) => n).some((n) => {
    const data = new Uint8Array([n >> 8, n & 255]);
    const packet = packetIn(new CaptureEncoder().encode(datagram({ data })));
    assert(packet[40] !== 0 || packet[41] !== 0);
    return packet[40] === 255 && packet[41] === 255;
  });
  assert(found);
});

Deno.test("one address of each family is written as IPv6", async () => {
  const encoder = new CaptureEncoder();
  const block = encoder.encode(datagram({ to: net("::", 53) }))!;
  const { datagrams: [one] } = await read([encoder.header, block]);
  assertEquals(one?.from.hostname, "::ffff:10.0.0.1");
  assertEquals(one?.to.hostname, "::");
});

Deno.test("what can be no UDP packet is counted, and not written", () => {
  const encoder = new CaptureEncoder();
  const v6 = { from: net("::1", 1), to: net("::1", 2) };
  const stream: Addr = { transport: "tcp", hostname: "10.0.0.1", port: 1 };
  const path: Addr = { transport: "unixpacket", path: "/run/pli.sock" };
  const written = (changes: Partial<DatagramToWrite>) =>
    encoder.encode(datagram(changes)) !== undefined;
  assertEquals(written({ data: new Uint8Array(65_507) }), true);
  assertEquals(written({ data: new Uint8Array(65_508) }), false);
  assertEquals(written({ ...v6, data: new Uint8Array(65_527) }), true);
  assertEquals(written({ ...v6, data: new Uint8Array(65_528) }), false);
  assertEquals(
    written({ from: stream, to: { ...stream, scheme: "tls" } }),
    true,
  );
  assertEquals(written({ from: net("fe80::1%eth0", 1), to: v6.to }), true);
  assertEquals(written({ from: path }), false);
  assertEquals(written({ to: net("example.com", 1) }), false);
  assertEquals(written({ to: net("::zz", 1) }), false);
  assertEquals(encoder.stats, { encoded: 4, tooLong: 2, notIp: 3 });
});

Deno.test("the file says who wrote it, and has a comment", () => {
  const { header } = new CaptureEncoder({
    comment: "a\nb",
    application: "test",
  });
  const text = new TextDecoder("latin1").decode(header);
  assert(text.includes("a\nb") && text.includes("test"));
});

Deno.test("a comment that is too long is cut between characters", async () => {
  const encoder = new CaptureEncoder();
  const block = encoder.encode(datagram({ comments: ["é".repeat(40_000)] }))!;
  const { datagrams: [one], error } = await read([encoder.header, block]);
  assertEquals([one?.comments, error], [["é".repeat(32_767)], undefined]);
});

for (
  const [what, changes, says] of [
    [
      "a number",
      { time: 7 },
      "time must be a bigint of nanoseconds from 0 to 2^64 - 1: given 7",
    ],
    ["a negative time", { time: -1n }, "time must be a bigint"],
    ["a late time", { time: 2n ** 64n }, "time must be a bigint"],
    ["a text", { data: "text" }, "data must be a Uint8Array"],
    ["a comment", { comments: "text" }, "comments must be a list of texts"],
    [
      "a comment of a number",
      { comments: [7] },
      "comments must be a list of texts",
    ],
    ["no address", { from: undefined }, "from must be an address"],
    [
      "a host of a number",
      { to: { transport: "udp", hostname: 7, port: 1 } },
      "to.hostname must be text",
    ],
    [
      "a port",
      { to: net("10.0.0.1", 65_536) },
      "to.port must be a whole number from 0 to 65535",
    ],
  ] as [string, object, string][]
) {
  Deno.test(`a datagram with a wrong field is rejected, and not counted: ${what}`, () => {
    const encoder = new CaptureEncoder();
    const error = assertThrows(() => encoder.encode(datagram(changes)), Error);
    assert(
      error.message.startsWith(`Cannot write a capture: ${says}`),
      error.message,
    );
    assertEquals(encoder.stats, { encoded: 0, tooLong: 0, notIp: 0 });
  });
}
