import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { bind, connect, type DatagramSocket } from "../mod.ts";
import { quic, type QuicOptions } from "../lib/carriers/quic.ts";
import { certificate } from "./support/certificates.ts";
import { SOON } from "./support/helpers.ts";
import {
  cert,
  key,
  quicClient,
  quicServer,
  rawConnection,
  sayFirst,
  until,
} from "./support/quics.ts";

const other = await certificate();
const old = await certificate({ expired: true });
const elsewhere = await certificate({ hosts: ["example.org"] });

/** That somebody else still gets through. */
async function serves(
  server: DatagramSocket,
  options?: QuicOptions,
): Promise<void> {
  await using client = await connect(server.addr, {
    carrier: quicClient(options),
  });
  await client.send("served");
  assertEquals((await server.receive(SOON)).text(), "served");
}

const CERTIFICATES: [
  what: string,
  server: QuicOptions,
  client: QuicOptions,
  says: string,
][] = [
  [
    "an unknown issuer",
    { cert, key },
    {},
    "the server's certificate comes from an unknown issuer; trust it by caCerts, or --ca FILE",
  ],
  [
    "another issuer of the same name",
    { cert, key },
    { caCerts: [other.cert] },
    "the server's certificate is not signed by any certificate in caCerts",
  ],
  [
    "an expired certificate",
    old,
    { caCerts: [old.cert] },
    "the server's certificate has expired, or is not valid yet",
  ],
  [
    "a certificate for another host",
    elsewhere,
    { caCerts: [elsewhere.cert] },
    'the server\'s certificate is not for that name: "127.0.0.1"',
  ],
  [
    "a certificate for another name than was asked for",
    { cert, key },
    { caCerts: [cert], serverName: "example.org" },
    'the server\'s certificate is not for that name: "example.org"',
  ],
];
for (const [what, mine, theirs, says] of CERTIFICATES) {
  Deno.test(`connect rejects with one line if the server has ${what}`, async () => {
    const { server, source } = quicServer(mine);
    await using _ = server;
    const error = await assertRejects(
      () => connect(server.addr, { carrier: quic(theirs) }),
      Deno.errors.InvalidData,
    );
    const { port } = server.addr;
    assertEquals(
      error.message,
      `Cannot connect to quic://127.0.0.1:${port}: ${says}`,
    );
    await until(() => source.stats.refused.handshake === 1);
    assertEquals(source.stats.admitted, 0);
    if (mine.cert === cert) await serves(server);
  });
}

for (const token of ["wrong", "secreT", "secret ", undefined]) {
  Deno.test(`a client with the token ${token} is rejected and counted; others are served`, async () => {
    const { server, source } = quicServer({ token: "secret" });
    await using _ = server;
    const error = await assertRejects(
      () => connect(server.addr, { carrier: quicClient({ token }) }),
      Deno.errors.PermissionDenied,
    );
    assertStringIncludes(error.message, ": the server rejected the token");
    assertEquals([source.stats.refused.token, source.stats.admitted], [1, 0]);
    await serves(server, { token: "secret" });
  });
}

Deno.test("nothing from a client without the right token reaches the server", async () => {
  const { server, source } = quicServer({ token: "secret" });
  await using _ = server;
  using conn = await rawConnection(server.addr.port);
  for (let n = 0; n < 10; n++) await conn.sendDatagram(new Uint8Array([n]));
  await sayFirst(conn);
  assertEquals((await conn.closed).closeCode, 1);
  assertEquals(source.stats.received.datagrams, 0);
  await serves(server, { token: "secret" });
  assertEquals(server.stats.received, 1);
});

Deno.test("a client of another protocol is rejected and counted", async () => {
  const { server, source } = quicServer();
  await using _ = server;
  await assertRejects(
    () => rawConnection(server.addr.port, { alpn: "h3" }),
    Error,
    "error 120",
  );
  await until(() => source.stats.refused.handshake === 1);
  await serves(server);
});

Deno.test("connect rejects if the server speaks another protocol", async () => {
  const endpoint = new Deno.QuicEndpoint({ hostname: "127.0.0.1" });
  const { port } = endpoint.addr;
  const listener = endpoint.listen({ cert, key, alpnProtocols: ["h3"] });
  const accepted = listener.accept().catch(() => {});
  const error = await assertRejects(
    () => connect(`quic://127.0.0.1:${port}`, { carrier: quicClient() }),
    Deno.errors.NotSupported,
  );
  assertStringIncludes(error.message, "another protocol than pli/1");
  await accepted;
  endpoint.close();
});

Deno.test("connect times out with one line if nothing listens", async () => {
  await using silent = bind("udp://127.0.0.1:0");
  const { port } = silent.addr;
  const error = await assertRejects(
    () =>
      connect(`quic://127.0.0.1:${port}`, {
        carrier: quicClient({ handshakeMs: 50 }),
      }),
    Deno.errors.TimedOut,
  );
  assertEquals(
    error.message,
    `Cannot connect to quic://127.0.0.1:${port}: no answer within 50 ms: nothing listens there, or UDP does not get through`,
  );
});

Deno.test("a client that sends no hello is disconnected in time, and counted", async () => {
  const { server, source } = quicServer({ handshakeMs: 1000 });
  await using _ = server;
  using conn = await rawConnection(server.addr.port);
  assertEquals((await conn.closed).closeCode, 3);
  await until(() => source.stats.refused.slow === 1);
  await serves(server);
});

for (
  const [what, bytes] of [
    ["that is none", [2, 0, 0, 0, 9, 0, 0]],
    ["whose token is too long", [0, 0, 0, 0, 9, 255, 255]],
  ] as const
) {
  Deno.test(`a client with a hello ${what} is rejected and counted`, async () => {
    const { server, source } = quicServer();
    await using _ = server;
    using conn = await rawConnection(server.addr.port);
    await sayFirst(conn, new Uint8Array(bytes));
    assertEquals((await conn.closed).closeCode, 2);
    await until(() => source.stats.refused.hello === 1);
    await serves(server);
  });
}

Deno.test("packets that are not QUIC, with long headers or short, have no effect", async () => {
  const { server, source } = quicServer();
  await using _ = server;
  await using client = await connect(server.addr, { carrier: quicClient() });
  await using noise = await connect(`udp://127.0.0.1:${server.addr.port}`);
  for (let n = 0; n < 1000; n++) {
    const bytes = crypto.getRandomValues(new Uint8Array(n % 1400));
    // A long header of QUIC version 1 (RFC 9000, section 17.2), then nonsense.
    if (n % 2 === 0) bytes.set([0xc0, 0, 0, 0, 1].slice(0, bytes.length));
    await noise.send(bytes);
  }
  await serves(server);
  await client.send("still here");
  assertEquals((await server.receive(SOON)).text(), "still here");
  assertEquals(source.stats.admitted, 2);
});

Deno.test("more peers than maxPeers are rejected and counted, until one leaves", async () => {
  const { server, source } = quicServer({ maxPeers: 1 });
  await using _ = server;
  const carrier = quicClient();
  {
    await using _first = await connect(server.addr, { carrier });
    await until(() => source.stats.peers === 1);
    const error = await assertRejects(
      () => connect(server.addr, { carrier }),
      Deno.errors.ConnectionRefused,
    );
    assertStringIncludes(error.message, "accepts no more connections now");
    assertEquals(source.stats.refused.full, 1);
  }
  await until(() => source.stats.peers === 0);
  await serves(server);
});

Deno.test("no more than maxPeers clients are accepted when handshakes end together", async () => {
  const { server, source } = quicServer({ maxPeers: 2 });
  await using _ = server;
  await using clients = new AsyncDisposableStack();
  const carrier = quicClient();
  const all = await Promise.allSettled(
    Array.from({ length: 5 }, async () => {
      clients.use(await connect(server.addr, { carrier }));
    }),
  );
  const admitted = all.filter(({ status }) => status === "fulfilled");
  assertEquals([admitted.length, source.stats.peers], [2, 2]);
  assertEquals(source.stats.refused.full, 3);
});

const BAD: [QuicOptions, string][] = [
  [{}, "a server needs cert and key: deno task cert makes them"],
  [{ cert, key: other.key }, "key is not the key of cert"],
];
for (const [options, says] of BAD) {
  Deno.test(`bind rejects: ${says}`, () => {
    const error = assertThrows(
      () => bind("quic://127.0.0.1:0", { carrier: quic(options) }),
      TypeError,
    );
    assertStringIncludes(
      error.message,
      `Cannot bind quic://127.0.0.1:0: ${says}`,
    );
  });
}

const OUT_OF_RANGE: QuicOptions[] = [
  { maxPeers: 0 },
  { maxHandshakes: 1.5 },
  { maxMessage: 64 * 1024 * 1024 + 1 },
  { handshakeMs: 0 },
  { idleMs: NaN },
  { keepAliveMs: -1 },
  { token: "" },
  { token: "é".repeat(513) },
];
for (const options of OUT_OF_RANGE) {
  const [[name, value] = ["", ""]] = Object.entries(options);
  Deno.test(`${name} out of range throws at once (${String(value).slice(0, 9)})`, () => {
    const error = assertThrows(() => quic(options), RangeError);
    assertStringIncludes(error.message, name);
  });
}

Deno.test("connect rejects if the host is unknown", async () => {
  const error = await assertRejects(
    () => connect("quic://no-such.invalid:9", { carrier: quicClient() }),
    Deno.errors.NotFound,
  );
  assert(error.message.endsWith("unknown host"), error.message);
});
