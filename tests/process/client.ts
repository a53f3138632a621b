/** What the client sends: arguments, lines, files and bytes. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bind } from "../../mod.ts";
import { receiveAll, send, textsAt } from "./support/clients.ts";
import { run } from "./support/programs.ts";

const ONE_LINE = /^[^\n]+\n$/;

Deno.test("client sends each argument as one message", async () => {
  await using socket = bind("127.0.0.1:0");
  const { code, stdout, stderr } = await send(socket, ["a", "b c", "", "007"]);
  assertEquals([code, stdout], [0, ""]);
  assertEquals(await textsAt(socket), ["a", "b c", "", "007"]);
  assertEquals(stderr, "sent 4 messages (7 bytes)\n");
});

Deno.test("client sends each line of standard input as one message", async () => {
  await using socket = bind("127.0.0.1:0");
  const { code } = await send(socket, [], "a\nb\r\n\nlast");
  assertEquals(code, 0);
  assertEquals(await textsAt(socket), ["a", "b", "", "last"]);
});

Deno.test("client sends the bytes of lines as they are", async () => {
  await using socket = bind("127.0.0.1:0");
  await send(socket, [], new Uint8Array([0xff, 0x00, 0x0a, 0xfe]));
  const datagrams = await receiveAll(socket);
  assertEquals(
    datagrams.map(({ data }) => Array.from(data)),
    [[0xff, 0x00], [0xfe]],
  );
});

Deno.test("client reads a file on standard input as it reads a pipe", async () => {
  await using socket = bind("127.0.0.1:0");
  const { port } = socket.addr;
  const script = '"$0" run --no-prompt --allow-net=127.0.0.1 client.ts ' +
    `--to 127.0.0.1:${port} < LICENSE`;
  const { code } = await new Deno.Command("sh", {
    args: ["-c", script, Deno.execPath()],
    stderr: "null",
  }).output();
  assertEquals(code, 0);
  const license = await Deno.readTextFile("LICENSE");
  assertEquals(await textsAt(socket), license.trimEnd().split("\n"));
});

Deno.test("client refuses a line that is too long by its number, and sends the others", async () => {
  await using socket = bind("127.0.0.1:0");
  const lines = ["a", "x".repeat(65_508), "b", "y".repeat(1_000_000), "c"];
  const { code, stderr } = await send(socket, [], lines.join("\n"));
  assertEquals(code, 4);
  assertEquals(await textsAt(socket), ["a", "b", "c"]);
  assertMatch(
    stderr,
    /^line 2 was not sent: too long: 65508 bytes, at most 65507$/m,
  );
  assertMatch(
    stderr,
    /^line 4 was not sent: too long: 1000000 bytes, at most 65507$/m,
  );
  assertStringIncludes(stderr, "sent 3 messages (3 bytes)");
});

Deno.test("client --hex sends bytes, and refuses text that is not hexadecimal", async () => {
  await using socket = bind("127.0.0.1:0");
  assertEquals((await send(socket, ["--hex", "00ff", "0a 0B"])).code, 0);
  assertEquals(
    (await receiveAll(socket)).map(({ data }) => Array.from(data)),
    [[0x00, 0xff], [0x0a, 0x0b]],
  );
  const wrong = await send(socket, ["--hex", "00", "0g"]);
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.stderr, '"0g" is not hexadecimal');
  const lines = await send(socket, ["--hex"], "01\nzz\n02\n");
  assertEquals(lines.code, 4);
  assertStringIncludes(lines.stderr, "line 2 was not sent: not hexadecimal");
  assertEquals(
    (await receiveAll(socket)).map(({ data }) => Array.from(data)),
    [[0x01], [0x02]],
  );
});

Deno.test("client --file sends a file's bytes as one message, with its permission", async () => {
  await using socket = bind("127.0.0.1:0");
  const args = ["--to", `127.0.0.1:${socket.addr.port}`, "--file", "LICENSE"];
  const refused = await run("client.ts", args);
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "--allow-read=LICENSE client.ts");
  const flags = ["--allow-net=127.0.0.1", "--allow-read=LICENSE"];
  assertEquals((await run("client.ts", args, { flags })).code, 0);
  assertEquals(await textsAt(socket), [await Deno.readTextFile("LICENSE")]);
});

Deno.test("client --file refuses a file that is too long, or does not exist", async () => {
  await using socket = bind("127.0.0.1:0");
  const to = ["--to", `127.0.0.1:${socket.addr.port}`];
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, new Uint8Array(65_508));
    const flags = ["--allow-net=127.0.0.1", "--allow-read"];
    const long = await run("client.ts", [...to, "--file", path], { flags });
    assertEquals(long.code, 4);
    assertStringIncludes(
      long.stderr,
      `"${path}" was not sent: too long: 65508 bytes, at most 65507\n`,
    );
    const missing = await run("client.ts", [...to, "--file", "/no/such"], {
      flags,
    });
    assertEquals(missing.code, 1);
    assertMatch(missing.stderr, ONE_LINE);
    assertStringIncludes(missing.stderr, 'Cannot read "/no/such": No such');
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("client --file - sends standard input as one message, and needs no permission", async () => {
  await using socket = bind("127.0.0.1:0");
  for (const input of ["two\nlines\0\r\n", ""]) {
    const { code, stderr } = await send(socket, ["--file", "-"], input);
    assertEquals([code, (await socket.receive()).text()], [0, input], stderr);
  }
  assertEquals(await textsAt(socket), []);
});

Deno.test("client --file - refuses input that is too long without waiting for its end", async () => {
  await using socket = bind("127.0.0.1:0");
  const input = new TransformStream<Uint8Array, Uint8Array>();
  const writer = input.writable.getWriter();
  const running = send(socket, ["--file", "-"], input.readable);
  await writer.write(new Uint8Array(65_508));
  const { code, stderr } = await running;
  await writer.close().catch(() => {});
  assertEquals(code, 4);
  assertStringIncludes(
    stderr,
    "standard input was not sent: too long: at most 65507 bytes\n",
  );
  assertEquals(await textsAt(socket), []);
});
