import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bind, type CarrierSource, connect } from "../mod.ts";
import { quic } from "../lib/carriers/quic.ts";
import { tls } from "../lib/carriers/tls.ts";
import { certificate } from "./support/certificates.ts";
import {
  AUTHORITY,
  ENCRYPTED_KEYS,
  FOR_CLIENTS,
  NAMELESS,
  WEAK,
} from "./support/pems.ts";

const own = await certificate();
const other = await certificate();
const elsewhere = await certificate({ hosts: ["pli.example"] });
const expired = await certificate({ expired: true });
const DAMAGED = own.cert.replace(/\n.{20}/, "\n####################");
const CUT = own.cert.slice(0, 200) + "\n-----END CERTIFICATE-----\n";

/** The same faults get the same sentences over both. */
const SOURCES = [["tls", tls], ["quic", quic]] as const;

const HANDSHAKES: [string, { cert: string; key: string }, string[], string][] =
  [
    [
      "that plain openssl req -x509 makes",
      AUTHORITY,
      [AUTHORITY.cert],
      "the server's certificate is one of an authority (CA:TRUE), which cannot be a server's own; make one with basicConstraints=CA:FALSE: by deno task cert, or with -addext basicConstraints=critical,CA:FALSE after openssl req -x509",
    ],
    [
      "that is for clients",
      FOR_CLIENTS,
      [FOR_CLIENTS.cert],
      "the server's certificate is not for servers: its extendedKeyUsage lacks serverAuth",
    ],
    [
      "without subjectAltName",
      NAMELESS,
      [NAMELESS.cert],
      'the server\'s certificate is not for that name: "127.0.0.1"; it has no subjectAltName',
    ],
    [
      "for another name",
      elsewhere,
      [elsewhere.cert],
      'the server\'s certificate is not for that name: "127.0.0.1"',
    ],
    [
      "that has expired",
      expired,
      [expired.cert],
      "the server's certificate has expired, or is not valid yet",
    ],
    [
      "that is not trusted",
      own,
      [],
      "the server's certificate comes from an unknown issuer; trust it by caCerts, or --ca FILE",
    ],
    [
      "of the name of another that is trusted",
      own,
      [other.cert],
      "the server's certificate is not signed by any certificate in caCerts",
    ],
  ];

const KEYS: [string, { cert: string; key: string }, string][] = [
  [
    "a key of another certificate",
    { cert: own.cert, key: other.key },
    "key is not the key of cert, which has to begin with the server's own certificate",
  ],
  [
    "a key that is too short",
    WEAK,
    "key is of a kind that is not supported: use ECDSA (P-256, P-384, P-521), Ed25519, or RSA of 2048 bits or more",
  ],
];

const WANTED = "a certificate in PEM";
const GIVEN: [string, Record<string, unknown>, string][] = [
  [
    "an empty certificate",
    { cert: "" },
    `cert must be ${WANTED}: given empty text`,
  ],
  [
    "a certificate in DER",
    { cert: "0\x82\x01\x0a0\x82" },
    `cert must be ${WANTED}: given a binary form such as DER; convert it: openssl x509 -inform der, or openssl pkey -inform der`,
  ],
  [
    "a damaged certificate",
    { cert: DAMAGED },
    `cert must be ${WANTED}: given a certificate that is damaged`,
  ],
  [
    "a certificate that was cut off",
    { cert: CUT },
    `cert must be ${WANTED}: given a certificate that is damaged`,
  ],
  [
    "a damaged certificate to trust",
    { caCerts: [own.cert, CUT] },
    "caCerts must be an array of certificates in PEM: given a certificate that is damaged",
  ],
  ...ENCRYPTED_KEYS.map((
    key,
  ): [string, Record<string, unknown>, string] => [
    `an encrypted key (${key.slice(0, 27)})`,
    { key },
    "key is encrypted; decrypt it: openssl pkey -in KEY -out DECRYPTED",
  ]),
];

for (const [name, source] of SOURCES) {
  const address = `${name}://127.0.0.1:0`;

  for (const [what, mine, caCerts, says] of HANDSHAKES) {
    Deno.test(`${name}: a server's certificate ${what} is rejected with one clear line`, async () => {
      await using server = bind(address, { carrier: source(mine) });
      const error = await assertRejects(
        () => connect(server.addr, { carrier: source({ caCerts }) }),
        Deno.errors.InvalidData,
      );
      assertEquals(
        error.message,
        `Cannot connect to ${name}://127.0.0.1:${server.addr.port}: ${says}`,
      );
    });
  }

  for (const [what, mine, says] of KEYS) {
    Deno.test(`${name}: ${what} is rejected with one clear line`, () => {
      const error = assertThrows(
        () => bind(address, { carrier: source(mine) }),
        TypeError,
      );
      assertEquals(error.message, `Cannot bind ${address}: ${says}`);
    });
  }

  for (const [what, given, says] of GIVEN) {
    Deno.test(`${name}: ${what} is rejected at once`, () => {
      const error = assertThrows(
        () => source({ ...own, ...given }) as CarrierSource,
        TypeError,
      );
      assertEquals(error.message, `Cannot use ${name}: ${says}`);
    });
  }

  Deno.test(`${name}: a byte order mark and CRLF in PEM files do no harm`, async () => {
    const windows = (pem: string) => `\ufeff${pem.replaceAll("\n", "\r\n")}`;
    const [cert, key] = [windows(own.cert), windows(own.key)];
    const carrier = source({ cert, key, caCerts: [cert] });
    await using server = bind(address, { carrier });
    await using client = await connect(server.addr, { carrier });
    await client.send("x");
    assertEquals((await server.receive()).text(), "x");
  });
}

Deno.test("connect by tls rejects with one line if the server speaks no TLS", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const answer = (text: string) => async () => {
    using conn = await listener.accept();
    await conn.read(new Uint8Array(1000));
    await conn.write(new TextEncoder().encode(text));
  };
  const { port } = listener.addr;
  for (
    const [serve, says] of [
      [answer("220 mail.example ESMTP\r\n"), "the server does not speak TLS"],
      [
        answer(""),
        "the server closed the connection during the TLS handshake; does it speak TLS?",
      ],
    ] as const
  ) {
    const served = serve();
    const error = await assertRejects(
      () => connect(`tls://127.0.0.1:${port}`, { carrier: tls({}) }),
      Error,
    );
    assertEquals(
      error.message,
      `Cannot connect to tls://127.0.0.1:${port}: ${says}`,
    );
    await served;
  }
  listener.close();
});
