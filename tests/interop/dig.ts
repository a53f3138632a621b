/**
 * dig, with a server that does not speak DNS. It sends queries of at most 512
 * bytes (longer ones go over TCP), and cannot listen.
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { portOf, start } from "./support/exchanges.ts";
import { Peer, runPeer, testsWhere } from "./support/peers.ts";

const test = await testsWhere("command -v dig", "bind9-dnsutils");

/** A query whose bytes are known: no cookie, and an ID that is not random. */
function query(port: string, name: string, options: string[] = []): string[] {
  const plain = ["+noedns", "+noadflag", "+qid=48879", "+tries=1"];
  return ["-r", "@127.0.0.1", "-p", port, ...plain, ...options, name, "A"];
}

// ID, recursion desired, one question; and of type A, in the Internet.
const HEAD = "beef" + "0100" + "0001" + "0000".repeat(3);
const TAIL = "0001" + "0001";
const EXAMPLE = "07" + hex("example") + "03" + hex("org") + "00";

function hex(text: string): string {
  return new TextEncoder().encode(text).toHex();
}

/** Returns what the server shows of one query, which it does not answer. */
async function shown(name: string, options: string[] = []): Promise<string> {
  await using server = await start(["--once", "--format", "hex"]);
  const args = query(portOf(server.address), name, ["+timeout=1", ...options]);
  await using dig = new Peer("dig", args);
  const { code, bytes } = await dig.ended();
  // Exit code 9: no reply.
  assertEquals(code, 9);
  assertStringIncludes(new TextDecoder().decode(bytes), "timed out");
  const { stdout } = await server.ended();
  return stdout.trimEnd().split("  ").slice(2).join("  ");
}

test("dig's query reaches the server unchanged, and times out", async () => {
  assertEquals(
    await shown("example.org"),
    `29 bytes  ${HEAD}${EXAMPLE}${TAIL}`,
  );
});

test("dig's query for a name that is not UTF-8 reaches the server", async () => {
  assertEquals(
    await shown("\\255\\000.example.org"),
    `32 bytes  ${HEAD}02ff00${EXAMPLE}${TAIL}`,
  );
});

test("dig's longest query over UDP reaches the server: 512 bytes", async () => {
  const filling = "ab".repeat(468);
  const option = `+ednsopt=65001:${filling}`;
  // One additional record: version 0 of EDNS, buffers of 1,232 bytes, and 472
  // bytes of options, of which one is number 65001 (fde9) and 468 bytes long.
  const edns = "00" + "0029" + "04d0" + "00000000" + "01d8" +
    "fde9" + "01d4" + filling;
  assertEquals(
    await shown("example.org", ["+nocookie", "+bufsize=1232", option]),
    `512 bytes  beef01000001000000000001${EXAMPLE}${TAIL}${edns}`,
  );
});

test("dig reports the server's echo of its query as a response that is not set", async () => {
  await using server = await start(["--once", "--echo"]);
  const args = query(portOf(server.address), "example.org", ["+timeout=60"]);
  const output = new TextDecoder().decode(await runPeer("dig", args));
  assertStringIncludes(output, "query response not set");
  assertMatch(output, /id: 48879\n/);
  assertMatch(output, /MSG SIZE +rcvd: 29\n/);
});
