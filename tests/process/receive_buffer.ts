import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { Program, run, startServer } from "./support/programs.ts";
import { SOON } from "../support/helpers.ts";

const NET = "--allow-net=127.0.0.1";
const START = { flags: [NET, "--allow-ffi"] };
// Without the capability to go beyond the system's limit.
const UNPRIVILEGED = ["setpriv", "--bounding-set=-net_admin", "--"];

Deno.test("server --receive-buffer says through which carrier it has which buffer, and receives", async () => {
  const args = ["--receive-buffer", "64K", "--count", "1", "--format", "raw"];
  await using server = new Program(
    "server.ts",
    ["127.0.0.1:0", ...args],
    START,
  );
  await server.said(/^receive buffer of 65536 bytes, by offload$/);
  const [, address = ""] = await server.said(/^listening on (\S+)$/);
  await using client = await connect(address);
  await client.send("hello");
  const { code, stdout } = await server.ended();
  assertEquals([code, stdout], [0, "hello"]);
});

Deno.test("what the system grants is said if it is less, also with --quiet", async () => {
  const args = [
    "127.0.0.1:0",
    "--receive-buffer",
    "1G",
    "--quiet",
    "--timeout",
  ];
  const start = { ...START, under: UNPRIVILEGED };
  const { code, stderr } = await run("server.ts", [...args, "1ms"], start);
  assertEquals(code, 3);
  const line =
    /^receive buffer of (\d+) bytes instead of 1073741824: sudo sysctl -w net\.core\.rmem_max=1073741824 allows more$/m;
  const [, granted] = line.exec(stderr) ?? [];
  const cat = new Deno.Command("cat", {
    args: ["/proc/sys/net/core/rmem_max"],
  });
  const limit = new TextDecoder().decode((await cat.output()).stdout);
  assertEquals(granted, limit.trim());
});

Deno.test("relay --receive-buffer relays by that carrier", async () => {
  await using server = await startServer(["--echo"]);
  const args = ["--listen", "127.0.0.1:0", "--to", server.address];
  await using relay = new Program("lib/programs/relay.ts", [
    ...args,
    ...["--receive-buffer", "64KiB"],
  ], START);
  await relay.said(/^receive buffer of 65536 bytes, by offload$/);
  const [, address = ""] = await relay.said(/^relaying (\S+) to /);
  await using client = await connect(address);
  await client.send("hello");
  assertEquals((await client.receive(SOON)).text(), "hello");
  relay.kill("SIGTERM");
  assertEquals((await relay.ended()).code, 0);
});

Deno.test("reflect --receive-buffer reflects by that carrier", async () => {
  const args = ["127.0.0.1:0", "--receive-buffer", "64K"];
  const script = "lib/programs/reflect.ts";
  await using reflector = new Program(script, args, START);
  await reflector.said(/^receive buffer of 65536 bytes, by offload$/);
  await reflector.said(/^reflecting on /);
  reflector.kill("SIGTERM");
  assertEquals((await reflector.ended()).code, 0);
});

Deno.test("without --allow-ffi the whole command is printed, and wrong sizes are refused", async () => {
  const args = ["127.0.0.1:0", "--receive-buffer", "4M"];
  const { code, stderr } = await run("server.ts", args);
  assertEquals(code, 2);
  assertMatch(stderr, /--allow-ffi/);
  for (
    const [address, size, reason] of [
      ["127.0.0.1:0", "2G", /--receive-buffer 2G: must be at most 1G/],
      ["127.0.0.1:0", "x", /--receive-buffer "x": must be a size, such as/],
      ["tcp://127.0.0.1:0", "4M", /--receive-buffer is for udp:\/\/ addresses/],
    ] as const
  ) {
    const args = [address, "--receive-buffer", size];
    const { code, stderr } = await run("server.ts", args);
    assertEquals(code, 1);
    assertMatch(stderr, reason);
  }
});

Deno.test("a server that the system drops messages of says once what would help", async () => {
  for (
    const [buffer, suggested] of [[[], "4M"], [
      ["--receive-buffer", "4K"],
      "8K",
    ]]
  ) {
    const args = ["127.0.0.1:0", "--timeout", "1s", ...buffer!];
    const flags = [...START.flags, "--allow-run=cat"];
    await using server = new Program("server.ts", args, { flags });
    const [, address = ""] = await server.said(/^listening on (\S+)$/);
    await using client = await connect(address);
    // While it is stopped, nothing is read.
    server.kill("SIGSTOP");
    for (let n = 0; n < 20_000; n++) await client.send("x".repeat(100));
    server.kill("SIGCONT");
    const { stderr } = await server.ended();
    const hints = stderr.split("\n").filter((line) =>
      line.includes("may help")
    );
    assertEquals(hints.length, 1);
    assertMatch(hints[0]!, /^the system dropped [1-9]\d* before they could be/);
    assertMatch(
      hints[0]!,
      new RegExp(`; --receive-buffer ${suggested} may help$`),
    );
  }
});
