import { assertEquals, assertRejects } from "@std/assert";
import {
  bind,
  type CarrierSource,
  connect,
  MessageTooLargeError,
} from "../mod.ts";
import { quic } from "../lib/carriers/quic.ts";
import { tcp } from "../lib/carriers/tcp.ts";
import { tls } from "../lib/carriers/tls.ts";
import { bytesOf, SOON } from "./support/helpers.ts";
import { cert, key } from "./support/quics.ts";

const MIB = 1024 * 1024;
const trusted = { cert, key, caCerts: [cert] };

/** A carrier and its longest message, in bytes. */
interface Case {
  name: string;
  address: string;
  carrier?: CarrierSource;
  longest: number;
}

const CASES: Case[] = [
  { name: "UDP, IPv4", address: "udp://127.0.0.1:0", longest: 65_507 },
  { name: "UDP, IPv6", address: "udp://[::1]:0", longest: 65_527 },
  { name: "TCP, no options", address: "tcp://127.0.0.1:0", longest: 65_535 },
];
for (
  const [framing, maxMessage] of [
    ["line", undefined],
    ["length", undefined],
    ["line", MIB],
    ["octet", undefined],
    ["octet", MIB],
    ["nul", MIB],
  ] as const
) {
  const options = { framing, maxMessage };
  const rest = { longest: maxMessage ?? 65_535 };
  const kind = `${framing}, maxMessage ${maxMessage}`;
  const tcpCarrier = tcp(options);
  const tlsCarrier = tls({ ...options, ...trusted });
  CASES.push(
    {
      name: `TCP, ${kind}`,
      address: "tcp://127.0.0.1:0",
      carrier: tcpCarrier,
      ...rest,
    },
    {
      name: `TLS, ${kind}`,
      address: "tls://127.0.0.1:0",
      carrier: tlsCarrier,
      ...rest,
    },
  );
}
for (const maxMessage of [undefined, MIB]) {
  CASES.push({
    name: `QUIC, reliable, maxMessage ${maxMessage}`,
    address: "quic://127.0.0.1:0",
    carrier: quic({ ...trusted, reliable: true, maxMessage }),
    longest: maxMessage ?? 65_527,
  });
}

for (const { name, address, carrier, longest } of CASES) {
  const options = carrier === undefined ? {} : { carrier };
  Deno.test(`${name}: the longest message is delivered uncut by default`, async () => {
    await using server = bind(address, options);
    await using client = await connect(server.addr, options);
    const message = "x".repeat(longest);
    const sending = client.send(message);
    const there = await server.receive(SOON);
    await sending;
    assertEquals([there.truncated, there.data], [false, bytesOf(message)]);
    const replying = server.send(there.data, there.from);
    const back = await client.receive(SOON);
    await replying;
    assertEquals([back.truncated, back.data.length], [false, longest]);
    await assertRejects(
      () => client.send(message + "x"),
      MessageTooLargeError,
    );
  });
}
