import { assertEquals } from "@std/assert";
import { bind } from "../../mod.ts";
import { Program } from "./support/programs.ts";

for (
  const [mode, ends] of [
    ["receive", false],
    ["receive, unref", true],
    ["receive, unref, ref", false],
    ["unref, receive", true],
    ["give up", true],
    ["give up, receive", false],
    ["server, unref", true],
    ["server, ref", false],
  ] as const
) {
  const does = ends ? "ends although a socket is open" : "waits for a datagram";
  Deno.test(`a program ${does}: ${mode}`, async () => {
    await using program = new Program("tests/process/support/ends.ts", [mode], {
      flags: ["--allow-net=127.0.0.1"],
    });
    const [, port = ""] = await program.said(/^idle (\d+)$/);
    await using socket = bind("udp://127.0.0.1:0");
    // It comes too late for a program that has nothing left to wait for.
    if (!ends) await socket.send("received", `127.0.0.1:${port}`);
    const { code, stdout } = await program.ended();
    assertEquals([code, stdout], [0, ends ? "" : "received\n"]);
  });
}
