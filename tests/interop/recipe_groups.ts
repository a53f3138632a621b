/**
 * The recipes that speak to many: multicast DNS with the npm package, and
 * Wake-on-LAN, which tshark decodes.
 */
import { assertEquals } from "@std/assert";
import { once } from "node:events";
import makeMdns from "multicast-dns";
import config from "../../deno.json" with { type: "json" };
import { CaptureEncoder } from "../../lib/capture.ts";
import { bind } from "../../mod.ts";
import { runPeer, testsWhere } from "./support/peers.ts";
import {
  freePort,
  linesOf,
  showVersion,
  startRecipe,
} from "./support/recipes.ts";

/** Opens multicast-dns on loopback, in a group and at a port of its own. */
async function openMdns() {
  const port = freePort();
  // No other program is in the group: it is made from the port.
  const ip = `239.255.${port >> 8}.${port & 255}`;
  const on = { interface: "127.0.0.1", bind: "0.0.0.0" };
  const mdns = makeMdns({ ip, port, ...on });
  await once(mdns, "ready");
  return {
    mdns,
    group: `${ip}:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((done) => mdns.destroy(() => done())),
  };
}

/** Checks that mdns_ask.ts is told the printer's address, once. */
async function isShown(group: string): Promise<void> {
  const [ip = "", port = ""] = group.split(":");
  const args = [group, "printer.local", "127.0.0.1"];
  const ask = () => linesOf("mdns_ask", args, `127.0.0.1,${ip}`);
  let lines = await ask();
  // It waits for two seconds: on a slow machine the answer may come later.
  for (let n = 0; n < 5 && lines[0] === ""; n++) lines = await ask();
  assertEquals(lines, [
    `printer.local.  192.0.2.7  from udp://127.0.0.1:${port}`,
  ]);
}

/** Checks that dig, which asks one host, is told the address. */
async function isReadByDig(group: string): Promise<void> {
  await showVersion("dig", "dig", "-v");
  const at = ["@127.0.0.1", "-p", group.split(":")[1]!, "printer.local"];
  const output = await runPeer("dig", ["-r", ...at, "A", "+short"]);
  assertEquals(new TextDecoder().decode(output), "192.0.2.7\n");
}

Deno.test("mdns_ask.ts shows what multicast-dns answers", async () => {
  console.log(`  with ${config.imports["multicast-dns"].slice("npm:".length)}`);
  await using open = await openMdns();
  const { mdns, group } = open;
  // deno-lint-ignore no-explicit-any
  mdns.on("query", ({ id, questions }: any, peer: any) => {
    if (questions[0].name !== "printer.local") return;
    const answer = { name: "printer.local", type: "A", ttl: 120 };
    mdns.respond({ id, answers: [{ ...answer, data: "192.0.2.7" }] }, peer);
  });
  await isShown(group);
});

const dig = await testsWhere("command -v dig", "bind9-dnsutils");

dig(
  "mdns_answer.ts answers multicast-dns, mdns_ask.ts and dig, and to its name only",
  async () => {
    console.log(
      `  with ${config.imports["multicast-dns"].slice("npm:".length)}`,
    );
    await using open = await openMdns();
    const { mdns, group } = open;
    const args = [group, "printer.local", "192.0.2.7", "127.0.0.1"];
    await using peer = startRecipe("mdns_answer", args, "--allow-net");
    await peer.said(/^listening on \S+ for printer\.local\.$/m);
    const answered = once(mdns, "response");
    mdns.query("other.local", "A");
    mdns.query("Printer.LOCAL", "A");
    const [{ id, answers }] = await answered;
    assertEquals([id, answers.length], [0, 1]);
    const [{ name, type, ttl, flush, data }] = answers;
    assertEquals([name, type, ttl, flush, data], [
      ...["printer.local", "A", 120, true, "192.0.2.7"],
    ]);
    await isShown(group);
    await isReadByDig(group);
    peer.signal("SIGINT");
    assertEquals((await peer.ended()).code, 0);
  },
);

const tshark = await testsWhere("command -v tshark", "tshark");
const MAC = "00:00:5e:00:53:01";

tshark(
  "wake_on_lan.ts sends a broadcast that tshark decodes as a magic packet",
  async () => {
    await showVersion("tshark", "tshark", "--version");
    await using socket = bind("udp://0.0.0.0:0");
    const { port } = socket.addr;
    const to = { transport: "udp", hostname: "127.255.255.255", port } as const;
    const args = [`${to.hostname}:${port}`, MAC];
    const net = `0.0.0.0,${to.hostname}`;
    assertEquals(await linesOf("wake_on_lan", args, net), [
      `woke ${MAC} by ${to.hostname}:${port}`,
    ]);
    const { data, from } = await socket.receive({ timeoutMs: 10_000 });
    const encoder = new CaptureEncoder();
    const time = BigInt(Date.now()) * 1_000_000n;
    const packet = encoder.encode({ time, from, to, data })!;
    const file = await Deno.makeTempFile({ suffix: ".pcapng" });
    try {
      await Deno.writeFile(file, ReadableStream.from([encoder.header, packet]));
      const fields = ["-T", "fields", "-e", "wol.mac"];
      const shown = await runPeer("tshark", [
        "-r",
        file,
        "-Y",
        "wol",
        ...fields,
      ]);
      // Each of the sixteen.
      const macs = Array<string>(16).fill(MAC).join(",");
      assertEquals(new TextDecoder().decode(shown), `${macs}\n`);
    } finally {
      await Deno.remove(file);
    }
  },
);
