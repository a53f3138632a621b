/** STAMP with a sender and a reflector in Python, and Wireshark's dissector. */
import { assertEquals, assertMatch } from "@std/assert";
import { encodeTrace } from "../../lib/capture.ts";
import { measure, reflect } from "../../lib/measure.ts";
import { simulateNetwork } from "../../lib/testing/mod.ts";
import { LOOPBACK } from "../support/helpers.ts";
import { Peer, runPeer, testsWhere } from "./support/peers.ts";

const python = await testsWhere("command -v python3", "python3");
const tshark = await testsWhere("command -v tshark", "tshark");

const SENDER = new URL("peers/stamp_sender.py", import.meta.url).pathname;
const REFLECTOR = new URL("peers/stamp_reflector.py", import.meta.url).pathname;
const decoder = new TextDecoder();

python(
  "a STAMP sender in Python finds every field of a reflector's answers right",
  async () => {
    await using reflector = reflect(LOOPBACK);
    const { hostname, port } = reflector.addr;
    const numbers = Array.from({ length: 50 }, (_, i) => i);
    for (const ssid of [0, 65_535]) {
      const args = [SENDER, hostname, `${port}`, "50", `${ssid}`];
      const found = JSON.parse(decoder.decode(await runPeer("python3", args)));
      assertEquals(found, { numbers, asked: numbers, problems: [] });
    }
    const { received, answered, begun } = reflector.stats;
    assertEquals([received, answered, begun], [100, 100, 2]);
  },
);

python(
  "a path is measured through STAMP reflectors in Python, with and without state",
  async () => {
    await Promise.all((["stateful", "stateless"] as const).map(async (kind) => {
      await using peer = new Peer("python3", [REFLECTOR, kind]);
      const [port] = await peer.printed(/^\d+(?=\n)/);
      const { result } = measure(`127.0.0.1:${port}`, {
        count: 100,
        rate: 500,
        size: [44, 200, 1472],
      });
      const { reflector, sent, received, lost, duplicates, reordered } =
        await result;
      assertEquals([reflector, sent, received], [kind, 100, 100]);
      assertEquals(new Set(Object.values(lost)), new Set([0]));
      const none = { out: 0, back: 0 };
      assertEquals([duplicates, reordered], [none, none]);
    }));
  },
);

tshark(
  "tshark finds in a recorded exchange what sender and reflector wrote",
  async () => {
    const network = simulateNetwork({ delayMs: { min: 5, max: 5 } });
    await network.run(async () => {
      const carrier = network;
      await using reflector = reflect("udp://10.0.0.1:62862", { carrier });
      const { result } = measure(reflector.addr, {
        carrier: network.host("10.0.0.2"),
        count: 6,
        size: [44, 128],
      });
      assertEquals((await result).received, 6);
    });
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/exchange.pcapng`;
      await Deno.writeFile(path, encodeTrace(network.trace));
      const fields = [
        "udp.srcport",
        "udp.length",
        "twamp.test.seq_number",
        "twamp.test.timestamp",
        "twamp.test.receive_timestamp",
        "twamp.test.sender_seq_number",
        "twamp.test.sender_ttl",
        "_ws.malformed",
      ];
      const text = decoder.decode(
        await runPeer("tshark", [
          ...["-r", path, "-d", "udp.port==62862,twamp.test", "-T", "fields"],
          ...fields.flatMap((name) => ["-e", name]),
        ]),
      );
      const rows = text.split("\n").slice(0, -1).map((line) =>
        line.split("\t")
      );
      // The last exchange is the question for the counts.
      assertEquals(rows.length, 2 * 7);
      rows.slice(0, 12).forEach((row, i) => {
        const number = i >> 1;
        const isQuestion = i % 2 === 0;
        const [port, length, sequence, time, received, asked, ttl, bad] = row;
        assertEquals([length, bad], [number % 2 === 0 ? "52" : "136", ""]);
        assertEquals(sequence, `${number}`);
        assertEquals(port === "62862", !isQuestion);
        // Virtual time, which begins in 1970.
        assertMatch(time!, /^Jan {2}1, 1970 00:00:00\.0/);
        if (isQuestion) assertEquals(ttl, "0");
        else assertEquals([asked, ttl, received], [sequence, "255", time]);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
