/** The longest messages of the programs, by scheme. */
import { assert, assertEquals } from "@std/assert";
import { bind } from "../../mod.ts";
import { inFolder, PROJECT } from "./support/commands.ts";
import { Program, run } from "./support/programs.ts";

/** Messages that fit a scheme and no datagram, with the server's options. */
const LONG: [
  scheme: string,
  size: number,
  server: string[],
  client: string[],
][] = [
  ["tcp", 65_535, ["--framing", "length"], ["--framing", "length"]],
  ["tcp", 300_000, ["--max-size", "300000"], []],
  [
    "tcp",
    300_000,
    ["--framing", "octet", "--max-size", "300000"],
    ["--framing", "octet"],
  ],
  ["tls", 300_000, ["--max-size", "300000"], ["--ca", "cert.pem"]],
  [
    "quic",
    300_000,
    ["--max-size", "300000"],
    ["--ca", "cert.pem", "--reliable"],
  ],
];
for (const [scheme, size, serverArgs, clientArgs] of LONG) {
  Deno.test(`a message of ${size} bytes over ${scheme} arrives and returns whole`, () =>
    inFolder(async (folder) => {
      const cwd = folder;
      const flags = ["-A"];
      const secured = scheme === "tcp"
        ? []
        : ["--cert", "cert.pem", "--key", "key.pem"];
      await using server = new Program(`${PROJECT}server.ts`, [
        ...[`${scheme}://127.0.0.1:0`, "--once", "--echo", "--format", "raw"],
        ...[...secured, ...serverArgs],
      ], { cwd, flags });
      const [, address = ""] = await server.said(/^listening on (\S+)$/);
      const text = "0123456789".repeat(size / 10 + 1).slice(0, size);
      await Deno.writeTextFile(`${folder}/long`, text);
      const { code, stdout, stderr } = await run(`${PROJECT}client.ts`, [
        ...["--to", address, ...clientArgs, "--file", "long"],
        ...["--wait", "--timeout", "60s", "--format", "raw"],
      ], { cwd, flags });
      assertEquals([code, stdout === text], [0, true], stderr);
      const ended = await server.ended();
      assertEquals(ended.stdout === text, true);
      assertEquals(ended.stderr.includes("truncated"), false);
    }));
}

const TOO_LONG: [args: string[], says: string][] = [
  [
    ["udp://127.0.0.1:0", "--max-size", "65528"],
    "over udp:// a message has at most 65527 bytes",
  ],
  [
    ["unix:/tmp/x.sock", "--max-size", "65528"],
    "over unix: a message has at most 65527 bytes",
  ],
  [
    ["tcp://127.0.0.1:0", "--framing", "length", "--max-size", "65536"],
    "over tcp:// a message has at most 65535 bytes",
  ],
  [
    ["tcp://127.0.0.1:0", "--max-size", "67108865"],
    "over tcp:// a message has at most 67108864 bytes",
  ],
];
for (const [args, says] of TOO_LONG) {
  Deno.test(`server ${args.join(" ")} is refused with the limit`, async () => {
    const { code, stderr } = await run("server.ts", args);
    assertEquals(code, 1);
    assert(stderr.includes(`--max-size ${args.at(-1)}: ${says} (see:`), stderr);
  });
}

Deno.test("a file that is too long is refused by its length and the scheme's limit", () =>
  inFolder(async (folder) => {
    await using socket = bind("127.0.0.1:0");
    await using over = bind("tcp://127.0.0.1:0");
    const path = `${folder}/long`;
    await Deno.writeFile(path, new Uint8Array(70_000));
    const flags = ["--allow-net=127.0.0.1", `--allow-read=${path},/dev/zero`];
    for (
      const [to, args, says] of [
        [socket, [path], "70000 bytes, at most 65507"],
        [over, [path, "--framing", "length"], "70000 bytes, at most 65535"],
        [socket, ["/dev/zero"], "at most 65507 bytes"],
      ] as const
    ) {
      const { port, transport } = to.addr;
      const address = `${transport}://127.0.0.1:${port}`;
      const all = ["--to", address, "--file", ...args];
      const { code, stderr } = await run("client.ts", all, { flags });
      assertEquals(code, 4);
      assert(stderr.includes(`was not sent: too long: ${says}\n`), stderr);
    }
  }));
