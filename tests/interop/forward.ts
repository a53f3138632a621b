/** What the server forwards, at programs that others have written. */
import { assertEquals } from "@std/assert";
import { connect } from "../../mod.ts";
import { Program, startServer } from "../process/support/programs.ts";
import { Peer, testsWhere } from "./support/peers.ts";

const withRsyslog = await testsWhere("command -v rsyslogd", "rsyslog");
const withNc = await testsWhere("command -v nc.openbsd", "netcat-openbsd");
const withTshark = await testsWhere("command -v tshark", "tshark");

const HEADER = "<13>1 - - pli - - - ";

withRsyslog(
  "rsyslog receives what is forwarded to it over TCP, newlines included",
  async () => {
    const folder = await Deno.makeTempDir();
    const ports = `${folder}/port`;
    await Deno.writeTextFile(
      `${folder}/rsyslog.conf`,
      `global(workDirectory="${folder}")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="${ports}")
template(name="raw" type="string" string="%rawmsg%\\n")
*.* action(type="omfile" file="/dev/stdout" template="raw")
`,
    );
    await using rsyslog = new Peer("rsyslogd", [
      ...["-n", "-iNONE", "-f", `${folder}/rsyslog.conf`],
    ]);
    const port = await written(ports);
    await using server = await startServer([
      ...["--forward", `tcp://127.0.0.1:${port}`, "--count", "3"],
    ]);
    await using client = await connect(server.address);
    for (const text of ["Bonjour", "two\nlines", "bien reçu"]) {
      await client.send(HEADER + text);
    }
    // rsyslog writes a newline of a message as #012, and other bytes as they are.
    await rsyslog.printed(
      /<13>1 - - pli - - - Bonjour\n.*two#012lines\n.*bien reçu\n/,
    );
    const { code, stderr } = await server.ended();
    assertEquals(code, 0, stderr);
    await Deno.remove(folder, { recursive: true });
  },
);

withNc(
  "nc shows the lines that are forwarded to it, each after its sender",
  async () => {
    await using nc = new Peer("nc.openbsd", [
      ..."-n -l -v 127.0.0.1 0".split(" "),
    ]);
    const [, port = ""] = await nc.said(/^Listening on 127\.0\.0\.1 (\d+)\n/);
    await using server = await startServer([
      ...["--forward", `tcp://127.0.0.1:${port}`, "--forward-framing", "line"],
      ...["--forward-sender", "--count", "3"],
    ]);
    await using client = await connect(server.address);
    for (const text of ["Bonjour", "two\nlines", ""]) await client.send(text);
    const { code, bytes, stderr } = await nc.ended();
    assertEquals(code, 0, stderr);
    const from = `Pli-From: udp://127.0.0.1:${client.addr.port}`;
    assertEquals(
      new TextDecoder().decode(bytes),
      `${from}\nBonjour\n${from}\n\n`,
    );
    const end = await server.ended();
    assertEquals(
      / 2 forwarded, .* 1 refused/.test(end.stderr),
      true,
      end.stderr,
    );
  },
);

withTshark(
  "tshark reads the original sender before each datagram",
  async () => {
    const folder = await Deno.makeTempDir();
    const file = `${folder}/forwarded.pcapng`;
    await using recording = new Program("server.ts", [
      ...["127.0.0.1:0", "--once", "--record", file],
    ], { flags: ["-A"] });
    const [, to = ""] = await recording.said(/^listening on (\S+)$/);
    await using server = await startServer([
      ...["--forward", to, "--forward-sender", "--once"],
    ]);
    await using client = await connect(server.address);
    await client.send("Bonjour");
    assertEquals((await server.ended()).code, 0);
    assertEquals((await recording.ended()).code, 0);
    const fields = ["proxy.src.ipv4", "proxy.srcport", "proxy.dstport"];
    const { stdout } = await new Deno.Command("tshark", {
      args: [
        ...["-r", file, "--enable-heuristic", "proxy_udp", "-T", "fields"],
        ...["proxy.v2.cmd", "proxy.v2.protocol", ...fields].flatMap((name) => [
          "-e",
          name,
        ]),
      ],
    }).output();
    const { port } = new URL(server.address.replace("udp:", "http:"));
    assertEquals(
      new TextDecoder().decode(stdout).trim().split("\t"),
      ["1", "0x02", "127.0.0.1", `${client.addr.port}`, port],
    );
    await Deno.remove(folder, { recursive: true });
  },
);

/** Waits until a program has written a file. */
async function written(path: string): Promise<string> {
  for (;;) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text !== "") return text.trim();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
