/** Servers of which one begins while another still has the store. */
import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { SOON } from "../support/helpers.ts";
import { ALL, counted, test } from "./support/server_stores.ts";
import { idsIn } from "./support/stores.ts";
import { Program, startServer } from "./support/programs.ts";

test("a server that starts while another one still has the store takes it over", async (path) => {
  await using first = await startServer(["--store", path], ALL);
  await using before = await connect(first.address);
  await before.send("one");
  const second = new Program("server.ts", [
    ...["127.0.0.1:0", "--store", path, "--count", "1", "--format", "json"],
  ], ALL);
  await using _ = second;
  // It waits for a while, so that it is the one that goes on.
  await new Promise((go) => setTimeout(go, 1000));
  first.kill("SIGINT");
  await first.ended();
  const [, address = ""] = await second.said(/^listening on (\S+)$/);
  await using after = await connect(address);
  await after.send("two");
  const { sinks } = counted(await second.ended());
  assertEquals(sinks.store.stored, 1);
  assertEquals(idsIn(path), [1, 2]);
});

test("a server whose store another one keeps for long stores its messages afterwards, with receipts", async (path) => {
  await using first = await startServer(["--store", path, "--receipt"], ALL);
  await using before = await connect(first.address);
  await before.request("one", SOON);
  await using second = await startServer(
    ["--store", path, "--receipt", "--format", "json"],
    ALL,
  );
  await using after = await connect(second.address);
  for (const text of ["two", "three"]) await after.send(text);
  // What the other one stores meanwhile comes first.
  await before.request("last of the first", SOON);
  assertEquals(await after.tryReceive(), undefined);
  first.kill("SIGINT");
  await first.ended();
  await second.said(/^messages are stored in .* now$/);
  const receipts = [await after.receive(SOON), await after.receive(SOON)];
  assertEquals(receipts.map((receipt) => JSON.parse(receipt.text()).id), [
    3,
    4,
  ]);
  assertEquals(JSON.parse((await after.request("four", SOON)).text()).id, 5);
  second.kill("SIGINT");
  const result = await second.ended();
  assertEquals(result.code, 0);
  assertMatch(
    result.stderr,
    /^Cannot store messages in .*: another server is using it; messages wait, and are counted$/m,
  );
  const { sinks } = counted(result);
  assertEquals(sinks.store, { stored: 3, waiting: 0, notStored: 0 });
  assertEquals(sinks.receipts.sent, 3);
  assertEquals(idsIn(path), [1, 2, 3, 4, 5]);
});

test("a server whose store another one keeps until its end says what it could not store", async (path) => {
  await using first = await startServer(["--store", path], ALL);
  await using second = await startServer(
    ["--store", path, "--format", "json", "--count", "2"],
    ALL,
  );
  await using client = await connect(second.address);
  for (const text of ["a", "b"]) await client.send(text);
  const result = await second.ended();
  assertEquals(result.code, 0);
  assertMatch(result.stderr, /^2 messages could not be stored in /m);
  const { sinks } = counted(result);
  assertEquals(sinks.store, { stored: 0, waiting: 0, notStored: 2 });
  first.kill("SIGINT");
  await first.ended();
  assertEquals(idsIn(path), []);
});
