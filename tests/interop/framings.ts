/**
 * Syslog's octet counting and GELF's NUL bytes over tcp:// and tls:// addresses:
 * `logger --octet-count`, openssl's s_client, and Python's socket and ssl modules.
 */
import { assertEquals } from "@std/assert";
import { run } from "../process/support/programs.ts";
import { certificate } from "../support/certificates.ts";
import { bytesOf } from "../support/helpers.ts";
import { Peer, runPeer, testsWhere } from "./support/peers.ts";
import { serve } from "./support/streams.ts";

const loggers = await testsWhere("command -v logger", "bsdutils");
const python = await testsWhere("command -v python3", "python3");
const openssl = await testsWhere("command -v openssl", "openssl");

const FRAMED = `${import.meta.dirname}/peers/framed.py`;
const HEADER = "<133>1 - - pli - - - ";

/** A certificate, its key, and what either end needs to use them. */
async function identity(scheme: string) {
  const path = await Deno.makeTempDir();
  const { cert, key } = await certificate();
  await Deno.writeTextFile(`${path}/cert.pem`, cert);
  await Deno.writeTextFile(`${path}/key.pem`, key);
  const isTls = scheme === "tls";
  const files = [`${path}/cert.pem`, `${path}/key.pem`] as const;
  return {
    server: isTls ? ["--cert", files[0], "--key", files[1]] : [],
    client: isTls ? ["--ca", files[0]] : [],
    files: isTls ? files : [],
    flags: isTls ? [`--allow-read=${path}`] : [],
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

/** Starts a server that ends after so many messages. */
async function collector(
  scheme: string,
  framing: string,
  count: number,
  { server, flags }: { server: string[]; flags: string[] },
) {
  return await serve(scheme, [
    ...["--framing", framing, "--format", "json", "--count", `${count}`],
    ...server,
  ], flags);
}

/** The texts that a server has printed. */
async function textsOf(
  server: Awaited<ReturnType<typeof collector>>,
): Promise<string[]> {
  const { code, stdout, stderr } = await server.ended();
  assertEquals(code, 0, stderr);
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line).text);
}

loggers(
  "logger --octet-count reaches the server: each line, empty and long ones too",
  async () => {
    await using own = await identity("tcp");
    await using server = await collector("tcp", "octet", 3, own);
    const long = "x".repeat(50_000);
    await runPeer("logger", [
      ...["--octet-count", "--tcp", "-n", "127.0.0.1", "-P", server.port],
      ...["--rfc5424=notime,nohost,notq", "-p", "local0.notice", "-t", "pli"],
      ...["--size", "60000"],
    ], bytesOf(`Bonjour\n\n${long}\n`));
    assertEquals(await textsOf(server), [
      `${HEADER}Bonjour`,
      HEADER,
      `${HEADER}${long}`,
    ]);
  },
);

openssl(
  "openssl s_client sends two messages of syslog over tls (RFC 5425)",
  async () => {
    await using own = await identity("tls");
    await using server = await collector("tls", "octet", 2, own);
    await using peer = new Peer("openssl", [
      ...["s_client", "-quiet", "-no_ign_eof", "-verify_return_error"],
      ...["-CAfile", own.files[0]!, "-connect", `127.0.0.1:${server.port}`],
    ]);
    const two = `${HEADER}two\nlines`;
    const one = `${HEADER}Bonjour`;
    await peer.type(bytesOf(`${two.length} ${two}${one.length} ${one}`));
    assertEquals(await textsOf(server), [two, one]);
  },
);

const MESSAGES: Record<string, string[]> = {
  octet: ["Bonjour", "two\nlines\0\r\n", "", "5 é", "x".repeat(60_000)],
  nul: ['{"version":"1.1","short_message":"a\\nb"}', "two\nlines\r\n", "", "é"],
};
for (const scheme of ["tcp", "tls"]) {
  for (const [framing, messages] of Object.entries(MESSAGES)) {
    python(
      `Python's messages reach the server: ${framing} over ${scheme}`,
      async () => {
        await using own = await identity(scheme);
        const count = messages.length;
        await using server = await collector(scheme, framing, count, own);
        const ca = own.files.slice(0, 1);
        await runPeer(
          "python3",
          [FRAMED, "send", framing, server.port, ...ca],
          bytesOf(messages.map((text) => `${JSON.stringify(text)}\n`).join("")),
        );
        assertEquals(await textsOf(server), messages);
      },
    );

    python(
      `the client's messages reach Python: ${framing} over ${scheme}`,
      async () => {
        await using own = await identity(scheme);
        const args = [FRAMED, "receive", framing, ...own.files];
        await using peer = new Peer("python3", args);
        const [, port] = await peer.said(/^listening on (\d+)$/m);
        // No argument of a program can hold a NUL.
        const hex = messages.map((text) => bytesOf(text).toHex());
        const { code, stderr } = await run("client.ts", [
          ...["--to", `${scheme}://127.0.0.1:${port}`, "--framing", framing],
          ...["--hex", ...own.client, ...hex],
        ], { flags: ["--allow-net=127.0.0.1", ...own.flags] });
        assertEquals(code, 0, stderr);
        const { bytes } = await peer.ended();
        const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
        assertEquals(lines.map((line) => JSON.parse(line)), messages);
      },
    );
  }
}
