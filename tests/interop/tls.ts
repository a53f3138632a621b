/** openssl's s_client and s_server over tls:// addresses. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { certificate } from "../support/certificates.ts";
import { assertSameBytes, BONJOUR } from "./support/exchanges.ts";
import { Peer, testsWhere } from "./support/peers.ts";
import {
  assertReceived,
  client,
  lineOf,
  LINES,
  serve,
} from "./support/streams.ts";

const test = await testsWhere("command -v openssl", "openssl");

async function files() {
  const path = await Deno.makeTempDir();
  const { cert, key } = await certificate();
  await Deno.writeTextFile(`${path}/cert.pem`, cert);
  await Deno.writeTextFile(`${path}/key.pem`, key);
  return {
    cert: `${path}/cert.pem`,
    key: `${path}/key.pem`,
    read: `--allow-read=${path}`,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

for (const message of LINES) {
  test(`openssl s_client reaches the server and gets its echo: ${message.name}`, async () => {
    await using own = await files();
    const { cert, key, read } = own;
    await using server = await serve("tls", [
      ...["--cert", cert, "--key", key],
      ...["--once", "--echo", "--format", "raw"],
    ], [read]);
    await using peer = new Peer("openssl", [
      ...["s_client", "-quiet", "-verify_return_error", "-CAfile", cert],
      ...["-connect", `127.0.0.1:${server.port}`],
    ]);
    await peer.type(lineOf(message));
    const shown = await peer.shown(message.bytes.length + 1);
    assertSameBytes(shown, lineOf(message));
    await assertReceived(server, message);
  });

  test(`openssl s_client's input before its end is a message: ${message.name}`, async () => {
    await using own = await files();
    const { cert, key, read } = own;
    await using server = await serve("tls", [
      ...["--cert", cert, "--key", key, "--once", "--format", "raw"],
    ], [read]);
    await using peer = new Peer("openssl", [
      ...["s_client", "-quiet", "-no_ign_eof", "-CAfile", cert],
      ...["-connect", `127.0.0.1:${server.port}`],
    ]);
    await peer.type(message.bytes);
    await peer.ended();
    await assertReceived(server, message);
  });
}

test("openssl s_server receives from the client, and replies", async () => {
  await using own = await files();
  const { cert, key, read } = own;
  await using peer = new Peer("openssl", [
    ...["s_server", "-naccept", "1", "-cert", cert, "-key", key],
    ...["-accept", "127.0.0.1:0"],
  ]);
  const [, port] = await peer.printed(/^ACCEPT 127\.0\.0\.1:(\d+)\n/m);
  const [answer] = await Promise.all([
    client(BONJOUR, `tls://127.0.0.1:${port}`, [
      ...["--ca", cert, "--wait", "--timeout", "60s", "--format", "raw"],
    ], [read]),
    peer.printed(/Bonjour je vous envoi un message !\n/).then(() =>
      peer.type(lineOf(LINES[1]!))
    ),
  ]);
  assertSameBytes(answer, LINES[1]!.bytes);
});

test("the client sends nothing to an openssl s_server that it does not trust", async () => {
  await using own = await files();
  const { cert, key, read } = own;
  await using peer = new Peer("openssl", [
    ...["s_server", "-naccept", "1", "-cert", cert, "-key", key],
    ...["-accept", "127.0.0.1:0"],
  ]);
  const [, port] = await peer.printed(/^ACCEPT 127\.0\.0\.1:(\d+)\n/m);
  const message = await client(BONJOUR, `tls://127.0.0.1:${port}`, [], [read])
    .then(() => "", (error) => error.message);
  assertStringIncludes(
    message,
    "the server's certificate comes from an unknown issuer",
  );
  const { bytes } = await peer.ended();
  assertEquals(new TextDecoder().decode(bytes).includes("Bonjour"), false);
});
