import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { X509Certificate } from "node:crypto";
import { quic } from "../../lib/carriers/quic.ts";
import { connect, serve } from "../../mod.ts";
import { Process, run } from "./support/programs.ts";

const CERT = "lib/programs/cert.ts";

interface Made {
  dir: string;
  make(...args: string[]): ReturnType<typeof run>;
}

/** Runs the program in a folder that it may write to, and cleans up. */
function inFolder(test: (made: Made) => Promise<void>): () => Promise<void> {
  return async () => {
    const dir = await Deno.makeTempDir();
    const flags = [`--allow-read=${dir}`, `--allow-write=${dir}`];
    try {
      await test({
        dir,
        make: (...args) => run(CERT, ["--out", dir, ...args], { flags }),
      });
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  };
}

Deno.test(
  "cert makes a certificate for a server, which clients accept",
  inFolder(async ({ dir, make }) => {
    const { code, stdout, stderr } = await make();
    assertEquals(code, 0);
    assertEquals(
      stdout,
      "deno run --allow-net=127.0.0.1:62443 " +
        `--allow-read=${dir}/cert.pem,${dir}/key.pem --allow-env=PLI_TOKEN ` +
        "server.ts quic://127.0.0.1:62443 " +
        `--cert ${dir}/cert.pem --key ${dir}/key.pem\n` +
        "deno run --allow-net=127.0.0.1:0,127.0.0.1:62443 " +
        `--allow-read=${dir}/cert.pem --allow-env=PLI_TOKEN client.ts ` +
        `--to quic://127.0.0.1:62443 --ca ${dir}/cert.pem Bonjour\n`,
    );
    assertStringIncludes(stderr, "for localhost, 127.0.0.1, ::1");
    const cert = await Deno.readTextFile(`${dir}/cert.pem`);
    const key = await Deno.readTextFile(`${dir}/key.pem`);
    await using server = serve("quic://127.0.0.1:0", (d) => d.data, {
      carrier: quic({ cert, key }),
    });
    const carrier = quic({ caCerts: [cert] });
    for (const host of ["127.0.0.1", "localhost"]) {
      const address = `quic://${host}:${server.addr.port}`;
      await using client = await connect(address, { carrier });
      const reply = await client.request("ping", { timeoutMs: 10_000 });
      assertEquals(reply.text(), "ping");
    }
  }),
);

Deno.test(
  "cert writes a key that only its owner can read, whatever the umask",
  inFolder(async ({ dir }) => {
    const under = ["sh", "-c", 'umask 0 && exec "$@"', "sh"];
    const flags = [`--allow-read=${dir}`, `--allow-write=${dir}`];
    const { code } = await run(CERT, ["--out", dir], { flags, under });
    assertEquals(code, 0);
    const { mode } = await Deno.stat(`${dir}/key.pem`);
    assertEquals(mode! & 0o777, 0o600);
  }),
);

Deno.test(
  "cert --host and --days are in the certificate, which cannot sign others",
  inFolder(async ({ dir, make }) => {
    const hosts = ["--host", "server.lan", "--host", "fd00:0::1"];
    const { code } = await make(...hosts, "--days", "7");
    assertEquals(code, 0);
    const pem = await Deno.readTextFile(`${dir}/cert.pem`);
    const certificate = new X509Certificate(pem);
    const names = certificate.subjectAltName!;
    assertStringIncludes(names, "DNS:localhost");
    assertStringIncludes(names, "DNS:server.lan");
    assertStringIncludes(names, "IP Address:127.0.0.1");
    assertStringIncludes(names, "IP Address:fd00::1");
    assertEquals(certificate.ca, false);
    const left = Date.parse(certificate.validTo) - Date.now();
    assertEquals(Math.round(left / 86_400_000), 7);
  }),
);

for (const file of ["cert.pem", "key.pem"]) {
  Deno.test(
    `cert does not overwrite ${file} without --force`,
    inFolder(async ({ dir, make }) => {
      await Deno.writeTextFile(`${dir}/${file}`, "mine", { mode: 0o644 });
      const { code, stdout, stderr } = await make();
      assertEquals([code, stdout], [2, ""]);
      assertEquals(
        stderr,
        `Cannot write "${dir}/${file}": it exists already; --force replaces it\n`,
      );
      const files = [...Deno.readDirSync(dir)].map(({ name }) => name);
      assertEquals(files, [file]);
      assertEquals(await Deno.readTextFile(`${dir}/${file}`), "mine");
      assertEquals((await make("--force")).code, 0);
      const { mode } = await Deno.stat(`${dir}/key.pem`);
      assertEquals(mode! & 0o777, 0o600);
      assertMatch(await Deno.readTextFile(`${dir}/${file}`), /^-----BEGIN /);
    }),
  );
}

Deno.test(
  "cert does not write through a link",
  inFolder(async (made) => {
    const { dir, make } = made;
    const target = `${dir}/elsewhere`;
    await Deno.symlink(target, `${dir}/key.pem`);
    assertEquals((await make()).code, 2);
    assertEquals((await make("--force")).code, 0);
    await assertRejects(() => Deno.stat(target), Deno.errors.NotFound);
  }),
);

Deno.test("cert says what it wrote before it prints the commands", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const command = `'${Deno.execPath()}' run --quiet --no-prompt -A ${CERT}`;
    const line = `exec ${command} --out ${folder}/made 2>&1`;
    await using program = new Process("sh", ["-c", line]);
    const { stdout } = await program.ended();
    assertMatch(stdout, /^wrote .*\nvalid for .*\ndeno run .*\ndeno run .*\n$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

const WRONG: [string[], string][] = [
  [["x"], 'unexpected argument "x"'],
  [["--days", "0"], '--days "0": must be a whole number from 1'],
  [
    ["--days", "40000"],
    '--days "40000": must be a whole number from 1 to 36500',
  ],
  [["--host", "a b"], '--host "a b": must be a name or an IP address'],
  [["--host", "a:1"], '--host "a:1": must be a name or an IP address'],
  [["--host", "fe80::1%eth0"], "must be a name or an IP address"],
  [["--out", ""], '--out "": must be a path'],
  [["--nonsense"], 'unknown option "--nonsense"'],
];
for (const [args, says] of WRONG) {
  Deno.test(`cert ${JSON.stringify(args)} exits 1 with one line`, async () => {
    const { code, stdout, stderr } = await run(CERT, args, { flags: [] });
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^[^\n]+\(see: deno task cert --help\)\n$/);
    assertStringIncludes(stderr, says);
  });
}

Deno.test("cert without permission exits 2 and prints the command", async () => {
  const { code, stderr } = await run(CERT, ["--out", "certs"], { flags: [] });
  assertEquals(code, 2);
  assertEquals(
    stderr,
    `Cannot write to "certs" without permission; run: deno run --allow-read=certs --allow-write=certs ${CERT} --out certs\n`,
  );
});

Deno.test("cert --help fits one screen, --version is one line", async () => {
  const help = await run(CERT, ["--help"], { flags: [] });
  assertEquals([help.code, help.stderr], [0, ""]);
  const lines = help.stdout.trimEnd().split("\n");
  assert(lines.length <= 24, `${lines.length} lines`);
  assert(lines.every((line) => line.length <= 80));
  const version = await run(CERT, ["--version"], { flags: [] });
  assertMatch(version.stdout, /^pli \d+\.\d+\.\d+\n$/);
});
