/** The recipes that ask: DNS, SNTP, STUN, CoAP, each with a server of Debian's. */
import { assertEquals, assertMatch } from "@std/assert";
import { testsWhere } from "./support/peers.ts";
import {
  answers,
  linesOf,
  runRecipe,
  type Served,
  showVersion,
  startAtFreePort,
} from "./support/recipes.ts";

// A binding request.
const STUN = Uint8Array.fromHex(
  "000100002112a442" + "0102030405060708090a0b0c",
);
// Too long for a UDP datagram of DNS.
const LONG = ["a", "b", "c"].map((letter) => letter.repeat(250));

function startDnsmasq(): Promise<Served> {
  return startAtFreePort({
    command: "dnsmasq",
    args: (_, folder) => [`--conf-file=${folder}/peer.conf`],
    config: (port) =>
      [
        ...["keep-in-foreground", "log-facility=-", "pid-file="],
        ...["user=root", "group=root", "no-resolv", "no-hosts"],
        ...["bind-interfaces", "listen-address=127.0.0.1", `port=${port}`],
        ...["local=/example/", "local=/in-addr.arpa/"],
        "host-record=host.example,192.0.2.1,2001:db8::1",
        "cname=www.example,host.example",
        "mx-host=example,host.example,10",
        "srv-host=_coap._udp.example,host.example,5683",
        'txt-record=example,"v=spf1 -all"',
        `txt-record=long.example,${LONG.join(",")}`,
        "",
      ].join("\n"),
    ready: (peer) => peer.said(/: started, version/),
  });
}

const dnsmasq = await testsWhere("command -v dnsmasq", "dnsmasq-base");

dnsmasq("dns.ts shows dnsmasq's records of each type", async () => {
  await showVersion("dnsmasq", "dnsmasq", "--version");
  await using server = await startDnsmasq();
  const at = `127.0.0.1:${server.port}`;
  const shown: Record<string, string[]> = {
    "host.example A": ["host.example.  0 s  A  192.0.2.1"],
    "HOST.example. aaaa": ["HOST.example.  0 s  AAAA  2001:db8::1"],
    "www.example A": [
      "www.example.  0 s  CNAME  host.example.",
      "host.example.  0 s  A  192.0.2.1",
    ],
    "example MX": ["example.  0 s  MX  10 host.example."],
    "_coap._udp.example SRV": [
      "_coap._udp.example.  0 s  SRV  0 0 5683 host.example.",
    ],
    "1.2.0.192.in-addr.arpa PTR": [
      "1.2.0.192.in-addr.arpa.  0 s  PTR  host.example.",
    ],
    "example TXT": ['example.  0 s  TXT  "v=spf1 -all"'],
    "host.example MX": ["host.example: no MX record"],
    // Over TCP.
    "long.example TXT": [`long.example.  0 s  TXT  "${LONG.join("")}"`],
  };
  const asked = Object.keys(shown);
  const all = asked.map((query) => linesOf("dns", [at, ...query.split(" ")]));
  assertEquals(await Promise.all(all), Object.values(shown));
});

dnsmasq(
  "dns.ts says that dnsmasq knows no such name, and exits 1",
  async () => {
    await showVersion("dnsmasq", "dnsmasq", "--version");
    await using server = await startDnsmasq();
    const at = `127.0.0.1:${server.port}`;
    const { code, stdout, stderr } = await runRecipe("dns", [at, "no.example"]);
    assertEquals([code, stdout, stderr], [1, "", "no.example: no such name\n"]);
  },
);

const chrony = await testsWhere("command -v chronyd", "chrony");

chrony(
  "sntp.ts shows how far the clock is from chronyd's, which is the same",
  async () => {
    await showVersion("chrony", "chronyd", "--version");
    await using server = await startAtFreePort({
      command: "chronyd",
      // -x: it leaves the clock alone.
      args: (_, folder) => [
        ...["-x", "-d", "-u", "root", "-f", `${folder}/peer.conf`],
      ],
      config: (port, folder) =>
        [
          ...[`port ${port}`, "bindaddress 127.0.0.1", "allow 127.0.0.1"],
          ...["local stratum 5", "cmdport 0", `pidfile ${folder}/pid`, ""],
        ].join("\n"),
      ready: (_, port) =>
        answers(port, Uint8Array.of(0x23, ...new Uint8Array(47))),
    });
    const lines = await linesOf("sntp", [`127.0.0.1:${server.port}`]);
    const [time = "", measured = ""] = lines;
    assertMatch(time, /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z {2}stratum 5$/);
    const [, offset, delay] =
      /^offset (-?\d+\.\d{6}) s, delay (\d+\.\d{6}) s$/.exec(measured) ?? [];
    // The error is at most half of the delay, plus what a clock is set meanwhile.
    const error = Math.abs(Number(offset)) - Number(delay) / 2;
    assertEquals(error < 1, true, measured);
  },
);

const coturn = await testsWhere("command -v turnserver", "coturn");

coturn(
  "stun.ts shows the address that coturn sees, which is its own",
  async () => {
    await showVersion("coturn", "turnserver", "--version");
    await using server = await startAtFreePort({
      command: "turnserver",
      args: (_, folder) => ["-c", `${folder}/peer.conf`],
      config: (port, folder) =>
        [
          ...["stun-only", "listening-ip=127.0.0.1", `listening-port=${port}`],
          ...["no-tcp", "no-tls", "no-dtls", "no-cli", "log-file=stdout"],
          ...["simple-log", `pidfile=${folder}/pid`, `userdb=${folder}/db`, ""],
        ].join("\n"),
      ready: (_, port) => answers(port, STUN),
    });
    const [line = ""] = await linesOf("stun", [`127.0.0.1:${server.port}`]);
    const [, own, seen] =
      /^udp:\/\/(127\.0\.0\.1:\d+) is seen as (\S+)$/.exec(line) ?? [];
    assertEquals(own, seen, line);
    assertEquals(own === undefined, false, line);
  },
);

const coap = await testsWhere("command -v coap-server-notls", "libcoap3-bin");

coap("coap_ping.ts is answered by libcoap's server with a reset", async () => {
  await showVersion("libcoap", "coap-server-notls", "-?");
  await using server = await startAtFreePort({
    command: "coap-server-notls",
    args: (port) => ["-A", "127.0.0.1", "-p", `${port}`],
    ready: (_, port) => answers(port, Uint8Array.of(0x40, 0, 1, 2)),
  });
  const at = `127.0.0.1:${server.port}`;
  const [line = ""] = await linesOf("coap_ping", [at]);
  const [, address] = /^coap:\/\/(\S+) answered after \d+\.\d ms$/.exec(line) ??
    [];
  assertEquals(address, at, line);
});
