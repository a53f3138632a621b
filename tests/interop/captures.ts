/** tshark, tcpdump and tcpreplay, with captures of this library and their own. */
import { assert, assertEquals } from "@std/assert";
import {
  CaptureEncoder,
  type DatagramToWrite,
  readCapture,
} from "../../lib/capture.ts";
import { net, pattern } from "../support/helpers.ts";
import { runPeer, testsWhere } from "./support/peers.ts";

const test = await testsWhere(
  "which tshark editcap tcpdump tcpreplay",
  "tshark, tcpdump and tcpreplay",
);

const NOW = 1_700_000_000_123_456_789n;
const DATAGRAMS: DatagramToWrite[] = [0, 1, 2, 999, 1472, 65_507].flatMap(
  (size, n) => [
    {
      time: NOW + BigInt(n) * 1_000_000_007n,
      from: net("10.0.0.1", 40_000 + n),
      to: net("10.0.0.2", 53),
      data: pattern(size),
      comments: [`datagram ${n}: é`],
    },
    {
      time: NOW + BigInt(n) * 1_000_000_007n + 1n,
      from: net("fd00::1", 40_000 + n),
      to: net("::", 65_535),
      data: pattern(size),
    },
  ],
);

/** Runs a program, and returns what it printed. */
async function run(command: string, ...args: string[]): Promise<string> {
  return new TextDecoder().decode(await runPeer(command, args));
}

/** Calls back with the path of a capture, in a folder of its own. */
async function withCapture(
  body: (path: string, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const encoder = new CaptureEncoder({ comment: "a comment on all" });
    const blocks = DATAGRAMS.map((datagram) => encoder.encode(datagram)!);
    const path = `${folder}/own.pcapng`;
    await Deno.writeFile(
      path,
      ReadableStream.from([encoder.header, ...blocks]),
    );
    await body(path, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The fields that tshark finds in each UDP packet. */
async function fields(path: string, ...names: string[]): Promise<string[][]> {
  const text = await run(
    "tshark",
    ...["-r", path, "-Y", "udp", "-T", "fields"],
    ...["-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"],
    ...names.flatMap((name) => ["-e", name]),
  );
  return text.split("\n").slice(0, -1).map((line) => line.split("\t"));
}

test("tshark finds in a capture what was written, with true checksums", () =>
  withCapture(async (path) => {
    const [time, ports, bytes, sums] = await Promise.all([
      fields(path, "frame.time_epoch"),
      fields(path, "ip.src", "ipv6.src", "udp.srcport", "udp.dstport"),
      fields(path, "udp.length", "frame.comment"),
      fields(path, "udp.checksum.status", "ip.checksum.status"),
    ]);
    assertEquals(
      time.flat().map((text) => BigInt(text.replace(".", ""))),
      DATAGRAMS.map(({ time }) => time),
    );
    assertEquals(
      ports,
      DATAGRAMS.map(({ from, to }, n) =>
        n % 2 === 0
          ? ["10.0.0.1", "", `${(from as Deno.NetAddr).port}`, "53"]
          : [
            "",
            "fd00::1",
            `${(from as Deno.NetAddr).port}`,
            `${(to as Deno.NetAddr).port}`,
          ]
      ),
    );
    assertEquals(
      bytes,
      DATAGRAMS.map((
        { data, comments = [""] },
      ) => [`${data.length + 8}`, comments[0]]),
    );
    // 1 is good; IPv6 has no checksum of its own.
    assertEquals(
      sums,
      DATAGRAMS.map((_, n) => n % 2 === 0 ? ["1", "1"] : ["1", ""]),
    );
  }));

test("capinfos shows the comment on a capture, and who wrote it", () =>
  withCapture(async (path) => {
    const text = await run("capinfos", path);
    assert(text.includes("a comment on all"), text);
    assert(/Capture application: +Pli/.test(text), text);
    assert(text.includes("nanoseconds (9)"), text);
  }));

test("tcpdump reads a capture, and tcpreplay sends it", () =>
  withCapture(async (path) => {
    const lines = await run("tcpdump", "-nr", path, "udp");
    assertEquals(lines.trimEnd().split("\n").length, DATAGRAMS.length);
    // The longest do not fit into a frame of loopback.
    const sent = await run(
      "tcpreplay",
      "-i",
      "lo",
      "--topspeed",
      "--limit=10",
      path,
    );
    assert(/Successful packets: +10\n/.test(sent), sent);
  }));

for (const format of ["pcap", "nsecpcap", "pcapng", "modpcap"]) {
  const isRead = format !== "modpcap";
  test(`what editcap writes as ${format} is ${isRead ? "read" : "refused"}`, () =>
    withCapture(async (path, folder) => {
      const other = `${folder}/other`;
      await run("editcap", "-F", format, path, other);
      using file = await Deno.open(other);
      const found: bigint[] = [];
      try {
        for await (const { time, data } of readCapture(file.readable)) {
          assertEquals(data, DATAGRAMS[found.length]!.data);
          found.push(time!);
        }
      } catch (error) {
        assert(!isRead, `${error}`);
        assert((error as Error).message.includes("Kuznetzov"));
        return;
      }
      const unit = format === "pcap" ? 1000n : 1n;
      assertEquals(found, DATAGRAMS.map(({ time }) => time / unit * unit));
    }));
}
