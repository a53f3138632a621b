/** The programs over each scheme. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { certificate } from "../support/certificates.ts";
import { Program, run, type Start } from "./support/programs.ts";

const NET = "--allow-net=127.0.0.1";
const ONE_LINE = /^[^\n]+\n$/;

/** Files that a test may need, in a folder that goes afterwards. */
async function folder() {
  const path = await Deno.makeTempDir();
  const { cert, key } = await certificate();
  const write = (name: string, text: string) =>
    Deno.writeTextFile(`${path}/${name}`, text);
  await write("cert.pem", cert);
  await write("key.pem", key);
  await write("token", "s3cret\n");
  await write("other", "guess\n");
  await write("empty", "\n");
  return {
    path,
    cert: `${path}/cert.pem`,
    key: `${path}/key.pem`,
    read: `--allow-read=${path}`,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** A server at any port of that scheme. */
async function serve(scheme: string, args: string[], start: Start) {
  const server = new Program("server.ts", [
    `${scheme}://127.0.0.1:0`,
    "--timeout",
    "30s",
    ...args,
  ], start);
  const [, address] = await server.said(/^listening on (\S+)$/);
  return Object.assign(server, { address: address! });
}

for (const framing of ["line", "length", "octet", "nul"]) {
  Deno.test(`a server and a client over tcp, framing ${framing}`, async () => {
    const flags = [NET];
    const args = ["--framing", framing];
    await using server = await serve("tcp", ["--once", "--echo", ...args], {
      flags,
    });
    const { code, stdout, stderr } = await run("client.ts", [
      ...["--to", server.address, ...args],
      ...["--wait", "--timeout", "30s", "--format", "raw", "ping"],
    ], { flags });
    assertEquals([code, stdout], [0, "ping"], stderr);
    const ended = await server.ended();
    assertEquals(ended.code, 0);
    assertMatch(
      ended.stdout,
      / {2}tcp:\/\/127\.0\.0\.1:\d+ {2}4 bytes {2}ping\n$/,
    );
  });
}

Deno.test("a message with a newline is not sent with lines; the client exits 4", async () => {
  const flags = [NET];
  await using server = await serve("tcp", ["--once", "--format", "raw"], {
    flags,
  });
  const { code, stderr } = await run(
    "client.ts",
    ["--to", server.address!, "two\nlines", "one"],
    { flags },
  );
  assertEquals(code, 4);
  assertStringIncludes(
    stderr,
    'has a newline at byte 3; use the framing "length"',
  );
  assertEquals((await server.ended()).stdout, "one");
});

Deno.test("a server and clients over tls, one of which does not trust it", async () => {
  await using files = await folder();
  const flags = [NET, files.read];
  const { cert, key } = files;
  const args = ["--cert", cert, "--key", key, "--once", "--reply", "bien reçu"];
  await using server = await serve("tls", args, { flags });
  const stranger = await run("client.ts", ["--to", server.address!, "x"], {
    flags,
  });
  assertEquals(stranger.code, 2);
  assertMatch(stranger.stderr, ONE_LINE);
  assertStringIncludes(
    stranger.stderr,
    "the server's certificate comes from an unknown issuer",
  );
  const { code, stdout, stderr } = await run("client.ts", [
    ...["--to", server.address, "--ca", cert],
    ...["--wait", "--timeout", "30s", "--format", "raw", "Bonjour"],
  ], { flags });
  assertEquals([code, stdout], [0, "bien reçu"], stderr);
  const ended = await server.ended();
  assertEquals(ended.code, 0);
  assertMatch(
    ended.stdout,
    / {2}tls:\/\/127\.0\.0\.1:\d+ {2}7 bytes {2}Bonjour\n$/,
  );
  assertStringIncludes(
    ended.stderr,
    "1 connection closed after a failed handshake",
  );
});

for (const reliable of [[], ["--reliable"]]) {
  Deno.test(`a server and a client over quic ${reliable}, with a token`, async () => {
    await using files = await folder();
    const flags = [NET, files.read, "--allow-env=PLI_TOKEN"];
    const { cert, key, path } = files;
    await using server = await serve("quic", [
      ...["--cert", cert, "--key", key, "--token-file", `${path}/token`],
      ...["--once", "--echo"],
    ], { flags });
    const send = (args: string[], env?: Record<string, string>) =>
      run("client.ts", [
        ...["--to", server.address, "--ca", cert, ...args, ...reliable],
        ...["--wait", "--retries", "9", "--format", "raw", "Bonjour"],
      ], { flags, env });
    for (const wrong of [[], ["--token-file", `${path}/other`]]) {
      const { code, stderr } = await send(wrong);
      assertEquals(code, 2, stderr);
      assertMatch(stderr, ONE_LINE);
    }
    const { code, stdout, stderr } = await send([], { PLI_TOKEN: "s3cret" });
    assertEquals([code, stdout], [0, "Bonjour"], stderr);
    const ended = await server.ended();
    assertEquals(ended.code, 0);
    assertMatch(
      ended.stdout,
      / {2}quic:\/\/127\.0\.0\.1:\d+ {2}7 bytes {2}Bonjour\n$/,
    );
  });
}

for (const scheme of ["tcp", "tls", "quic"]) {
  Deno.test(`the page's form reaches a ${scheme} server, and gets its reply`, async () => {
    // No name by which the server is reached.
    await using files = await folder();
    const { cert, key } = await certificate({ hosts: ["pli.example"] });
    await Deno.writeTextFile(files.cert, cert);
    await Deno.writeTextFile(files.key, key);
    const encrypted = ["--cert", files.cert, "--key", files.key];
    const args = scheme === "tcp" ? ["--framing", "length"] : encrypted;
    const server = new Program("server.ts", [
      ...[`${scheme}://127.0.0.1:0`, ...args],
      ...["--page", "127.0.0.1:0", "--reply", "bien reçu"],
    ], { flags: [NET, files.read, "--allow-env=PLI_TOKEN"] });
    await using _ = server;
    const [, url] = await server.said(/^page at (\S+)$/);
    // It waits for a reply for a second; a busy machine may take longer.
    let answered: string | undefined;
    while (answered === undefined) {
      const response = await fetch(`${url}send`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ text: "Bonjour" }),
      });
      answered = (await response.json()).answer?.text;
    }
    assertEquals(answered, "bien reçu");
    server.kill("SIGINT");
    assertMatch((await server.ended()).stdout, / {2}7 bytes {2}Bonjour\n$/);
  });
}

Deno.test("a page beyond loopback takes its token from a file or the environment", async () => {
  await using files = await folder();
  const flags = [
    "--allow-net",
    files.read,
    "--allow-env=PLI_PAGE_TOKEN",
  ];
  const args = ["127.0.0.1:0", "--page", "0.0.0.0:0", "--timeout", "30s"];
  const file = ["--page-token-file", `${files.path}/token`];
  for (
    const start of [
      { args: [...args, ...file] },
      { args, env: { PLI_PAGE_TOKEN: "s3cret" } },
    ]
  ) {
    const { args, ...env } = start;
    await using server = new Program("server.ts", args, { flags, ...env });
    const [, url] = await server.said(/^page at (\S+)$/);
    const local = url!.replace("0.0.0.0", "127.0.0.1");
    for (const [token, status] of [["guess", 401], ["s3cret", 200]] as const) {
      const response = await fetch(`${local}stats`, {
        headers: { authorization: `Bearer ${token}` },
      });
      await response.body?.cancel();
      assertEquals(response.status, status);
    }
  }
});

const WRONG: [string, string[], string][] = [
  ["server.ts", ["--framing", "line"], "--framing is for tcp:// and tls://"],
  [
    "server.ts",
    ["tcp://:1", "--cert", "x"],
    "--cert is for tls:// and quic://",
  ],
  [
    "server.ts",
    ["tls://:1", "--cert", "x"],
    "needs --cert FILE and --key FILE",
  ],
  ["server.ts", ["quic://:1"], "a quic:// server needs --cert FILE"],
  ["server.ts", ["quic://:1", "--framing", "line"], "--framing is for tcp://"],
  [
    "server.ts",
    ["tls://:1", "--token-file", "x"],
    "--token-file is for quic://",
  ],
  [
    "server.ts",
    ["tcp://:1", "--framing", "xml"],
    "must be one of line, length, octet, nul",
  ],
  ["server.ts", ["tcp://:1", "--ca", "x"], 'unknown option "--ca"'],
  [
    "client.ts",
    ["--to", "tcp://:1", "--ca", "x"],
    "--ca is for tls:// and quic",
  ],
  ["client.ts", ["--to", ":1", "--reliable"], "--reliable is for quic://"],
  ["client.ts", ["--to", "tls://:1", "--token-file", "x"], "is for quic://"],
  ["client.ts", ["--to", "unix:/x", "--framing", "line"], "not for unix:/x"],
  ["client.ts", ["--to", ":1", "--cert", "x"], 'unknown option "--cert"'],
];
for (const [script, typed, says] of WRONG) {
  const args = typed.map((arg) => arg.replace("//:", "//127.0.0.1:"));
  Deno.test(`${script} ${JSON.stringify(args)} exits 1 with one line`, async () => {
    const { code, stdout, stderr } = await run(script, args);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, ONE_LINE);
    assertStringIncludes(stderr, says);
  });
}

Deno.test("files that are missing or invalid: exit 2 with one line", async () => {
  await using files = await folder();
  const { cert, key, path } = files;
  const flags = [NET, "--allow-read", "--allow-env=PLI_TOKEN"];
  const server = (...args: string[]) => ["server.ts", ...args];
  const tls = "tls://127.0.0.1:0";
  const quic = "quic://127.0.0.1:0";
  for (
    const [[script, ...args], says] of [
      [
        server(tls, "--cert", "/no/such", "--key", key),
        'Cannot read "/no/such"',
      ],
      [
        server(tls, "--cert", key, "--key", key),
        "cert must be a certificate in PEM",
      ],
      [
        server(tls, "--cert", cert, "--key", cert),
        "key must be a private key in PEM",
      ],
      [
        server(quic, "--cert", cert, "--key", key, "--token-file", "/no/such"),
        'Cannot read "/no/such"',
      ],
      [
        server(
          quic,
          "--cert",
          cert,
          "--key",
          key,
          "--token-file",
          `${path}/empty`,
        ),
        "it is empty",
      ],
      [
        ["client.ts", "--to", "tls://127.0.0.1:1", "--ca", path, "x"],
        "Cannot read",
      ],
    ] as const
  ) {
    const { code, stderr } = await run(script, args, { flags });
    assertEquals(code, 2, stderr);
    assertMatch(stderr, ONE_LINE);
    assertStringIncludes(stderr, says);
  }
});

const COMMANDS: [string, string[], string][] = [
  [
    "server.ts",
    ["tcp://127.0.0.1:62001", "--echo"],
    "--allow-net=127.0.0.1:62001",
  ],
  [
    "server.ts",
    ["tls://0.0.0.0:62001", "--cert", "c.pem", "--key", "k.pem", "--echo"],
    "--allow-net=0.0.0.0:62001 --allow-read=c.pem,k.pem",
  ],
  [
    "server.ts",
    ["quic://127.0.0.1:62001", "--cert", "c.pem", "--key", "k.pem"],
    "--allow-net=127.0.0.1:62001 --allow-read=c.pem,k.pem --allow-env=PLI_TOKEN",
  ],
  [
    "server.ts",
    ["tcp://127.0.0.1:62001", "--page"],
    "--allow-net=127.0.0.1:62001,127.0.0.1:62080",
  ],
  [
    "client.ts",
    ["--to", "tls://pli.example:62001", "--ca", "c.pem", "x"],
    "--allow-net=pli.example:62001 --allow-read=c.pem",
  ],
  [
    "client.ts",
    ["--to", "quic://127.0.0.1:62001", "--token-file", "t", "x"],
    "--allow-net=127.0.0.1:0,127.0.0.1:62001 --allow-read=t",
  ],
];
for (const [script, args, flags] of COMMANDS) {
  Deno.test(`${script} ${args.join(" ")} without permission prints the command to run`, async () => {
    const { code, stderr } = await run(script, args, { flags: [] });
    assertEquals(code, 2);
    assertStringIncludes(
      stderr,
      ` without permission; run: deno run ${flags} ${script} ${
        args.join(" ")
      }\n`,
    );
  });
}
