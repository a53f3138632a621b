/**
 * rsyslog, which forwards the lines of a file as syslog messages: over TCP with
 * octet counting (RFC 6587), over UDP, and to a unix socket.
 */
import { assertEquals } from "@std/assert";
import { Program } from "../process/support/programs.ts";
import { Peer, testsWhere } from "./support/peers.ts";

const test = await testsWhere("command -v rsyslogd", "rsyslog");

const LINES = ["Bonjour", "it's 26 <13>1 - \\ %s", "x".repeat(4000)];
const HEADER = "<133>1 - - pli - - - ";

test("rsyslog forwards messages over TCP with octet counting, over UDP and to a unix socket", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/log`, `${LINES.join("\n")}\n`);
  const args = ["--count", `${LINES.length}`, "--format", "json"];
  const start = (...own: string[]) =>
    new Program("server.ts", [...own, ...args], { flags: ["-A"] });
  await using tcp = start("tcp://127.0.0.1:0", "--framing", "octet");
  await using udp = start("127.0.0.1:0");
  await using unix = start(`unix:${folder}/socket`);
  const port = async (server: Program) =>
    (await server.said(/^listening on .*:(\d+)$/))[1];
  const [tcpPort, udpPort] = [await port(tcp), await port(udp)];
  await unix.said(/^listening on /);
  const target = (port = "", more = "") =>
    `action(type="omfwd" template="plain" target="127.0.0.1" port="${port}" ${more})`;
  await Deno.writeTextFile(
    `${folder}/rsyslog.conf`,
    `global(workDirectory="${folder}" maxMessageSize="8k")
module(load="imfile")
module(load="omuxsock")
template(name="plain" type="string" string="<%PRI%>1 - - pli - - - %msg%")
input(type="imfile" file="${folder}/log" tag="pli" facility="local0" severity="notice")
${
      target(
        tcpPort,
        'protocol="tcp" TCP_Framing="octet-counted"',
      )
    }
${target(udpPort, 'protocol="udp"')}
$OMUxSockSocket ${folder}/socket
*.* :omuxsock:;plain
`,
  );
  await using _rsyslog = new Peer("rsyslogd", [
    ...["-n", "-iNONE", "-f", `${folder}/rsyslog.conf`],
  ]);
  for (const server of [tcp, udp, unix]) {
    const { code, stdout, stderr } = await server.ended();
    assertEquals(code, 0, stderr);
    const texts = stdout.trimEnd().split("\n").map((line) =>
      JSON.parse(line).text
    );
    assertEquals(texts, LINES.map((line) => HEADER + line));
  }
  await Deno.remove(folder, { recursive: true });
});
