/** The line that shows on a terminal how far a program is. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bind } from "../../mod.ts";
import { run } from "./support/programs.ts";

const SECONDS = /\d s: /;

/**
 * Runs a program on a terminal until its screen matches, then presses Ctrl-C.
 * Returns all that it wrote.
 */
async function screenUntil(
  pattern: RegExp,
  script: string,
  args: string[],
): Promise<string> {
  const words = [
    ...[Deno.execPath(), "run", "--quiet", "--no-prompt"],
    ...["--allow-net=127.0.0.1", script, ...args],
  ].map((word) => `'${word}'`);
  await using terminal = new Deno.Command("script", {
    args: ["-qec", words.join(" "), "/dev/null"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const keyboard = terminal.stdin.getWriter();
  const decoder = new TextDecoder();
  let screen = "";
  let isPressed = false;
  for await (const bytes of terminal.stdout) {
    screen += decoder.decode(bytes, { stream: true });
    if (isPressed || !pattern.test(screen)) continue;
    isPressed = true;
    await keyboard.write(new Uint8Array([0x03]));
  }
  await keyboard.close().catch(() => {});
  return screen;
}

/** What a screen shows at the end, line by line. */
function shown(screen: string): string[] {
  return screen.split("\r\n").map((line) => line.split("\r\x1b[K").at(-1)!);
}

Deno.test("client shows on a terminal how much it has sent, and erases that at its end", async () => {
  await using socket = bind("127.0.0.1:0");
  const to = ["--to", `127.0.0.1:${socket.addr.port}`];
  const args = [...to, "--repeat", "1000", "--rate", "10", "x"];
  const screen = await screenUntil(SECONDS, "client.ts", args);
  assertMatch(screen, /\d s: sent \d+ messages? \(\d+ bytes?\)/);
  const [, , left, sent] =
    /^(\^C)?not sent: (\d+) messages?\nsent (\d+) messages? \(\d+ bytes?\)\n$/
      .exec(shown(screen).join("\n")) ?? [];
  assertEquals(Number(left) + Number(sent), 1000, screen);
});

Deno.test("client prints replies on the same terminal, each on a line of its own", async () => {
  await using socket = bind("127.0.0.1:0");
  const answering = (async () => {
    for await (const { from, data } of socket) await socket.send(data, from);
  })();
  const to = ["--to", `127.0.0.1:${socket.addr.port}`];
  const wait = ["--wait", "--timeout", "30s", "ping"];
  const args = [...to, "--repeat", "1000", "--rate", "10", ...wait];
  // Some replies come while there is a line.
  const screen = await screenUntil(/s: [^]* ping[^]*s: /, "client.ts", args);
  const [totals, rest, ...lines] = shown(screen).filter((line) => line !== "")
    .reverse();
  assertMatch(rest!, /^(\^C)?not sent: \d+ messages$/);
  assertMatch(totals!, /sent \d+ messages/);
  assert(lines.length > 0, screen);
  for (const line of lines) {
    assertMatch(line, /^(\^C)?20\d\d-.* 4 bytes {2}ping$/);
  }
  socket.close();
  await answering;
});

Deno.test("relay shows on a terminal what it has forwarded", async () => {
  const args = ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"];
  const screen = await screenUntil(SECONDS, "lib/programs/relay.ts", args);
  assertMatch(screen, /\d s: up 0 of 0, down 0 of 0, 0 clients/);
});

Deno.test("no progress is shown with --quiet, or if standard error is not a terminal", async () => {
  await using socket = bind("127.0.0.1:0");
  const to = ["--to", `127.0.0.1:${socket.addr.port}`];
  const args = [...to, "--rate", "0.35", "a", "b"];
  const [piped, quiet] = await Promise.all([
    run("client.ts", args),
    screenUntil(/never/, "client.ts", [...args, "--quiet"]),
  ]);
  assertEquals(piped.stderr, "sent 2 messages (2 bytes)\n");
  assertEquals(quiet, "");
});
