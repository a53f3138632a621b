/** A server whose clock jumps, by libfaketime: what it keeps, and what it says. */
import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { StoreReader } from "../../lib/sinks/store/reader.ts";
import { startServer } from "../process/support/programs.ts";
import { SOON } from "../support/helpers.ts";
import { testsWhere } from "./support/peers.ts";

const LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1";
const test = await testsWhere(`ls ${LIBRARY}`, "faketime");

/** Starts a server that keeps messages for an hour, with a clock that is set by a file. */
async function start(folder: string) {
  const [library = ""] = new TextDecoder().decode(
    (await new Deno.Command("sh", { args: ["-c", `ls ${LIBRARY}`] }).output())
      .stdout,
  ).split("\n");
  return startServer([
    ...["--store", `${folder}/messages.db`, "--keep", "1h", "--receipt"],
    ...["--format", "json", "--stats-every", "100ms"],
  ], {
    flags: ["-A"],
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: `${folder}/clock`,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
  });
}

function set(folder: string, ahead: string): void {
  Deno.writeTextFileSync(`${folder}/clock.new`, ahead);
  Deno.renameSync(`${folder}/clock.new`, `${folder}/clock`);
}

test("a clock that jumps ahead, back and behind deletes nothing that --keep 1h keeps", async () => {
  const folder = await Deno.makeTempDir();
  set(folder, "+0");
  {
    await using server = await start(folder);
    await using client = await connect(server.address);
    await client.request("before", SOON);
    set(folder, "+2h");
    await server.said(/^The clock jumped ahead by 7\d{3} s; messages in /);
    await client.request("ahead", SOON);
    set(folder, "-30d");
    await client.request("behind", SOON);
    set(folder, "+0");
    await client.request("after", SOON);
    server.kill("SIGTERM");
    const { code, stderr } = await server.ended();
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /"stored":4,"waiting":0,"notStored":0,"deleted":[01]}/);
  }
  // One that starts while the clock is wrong believes it as little.
  set(folder, "+2h");
  await using server = await start(folder);
  await using client = await connect(server.address);
  // For longer than it takes until old messages are deleted.
  for (let n = 1; n <= 30; n++) {
    await client.request("later", SOON);
    await server.said(new RegExp(`"received":${n},`));
  }
  server.kill("SIGTERM");
  assertEquals((await server.ended()).code, 0);
  using reader = new StoreReader(`${folder}/messages.db`);
  const texts = reader.latest(40).map(({ datagram }) => datagram.text());
  assertEquals(
    ["before", "ahead", "after"].filter((it) => !texts.includes(it)),
    [],
  );
  await Deno.remove(folder, { recursive: true });
});
