/**
 * The commands that the programs print if a permission is missing: they work,
 * for every option and from another folder.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { CarrierSource } from "../../lib/carrier.ts";
import { quic } from "../../lib/carriers/quic.ts";
import { tcp } from "../../lib/carriers/tcp.ts";
import { tls } from "../../lib/carriers/tls.ts";
import { bind, connect, serve } from "../../mod.ts";
import { SOON } from "../support/helpers.ts";
import {
  inFolder,
  inParallel,
  LIMIT,
  printedBy,
  typed,
} from "./support/commands.ts";
import { greeted } from "./support/greetings.ts";
import { run } from "./support/programs.ts";
import * as client from "../../lib/programs/client_options.ts";
import * as server from "../../lib/programs/server_options.ts";

const SECURE = ["--cert", "cert.pem", "--key", "key.pem"];
const TOKEN = ["--token-file", "secret"];
const PAGE = ["--page", "127.0.0.1:0"];
const LIMITED = ["--forward-limit", "5/s"];
const TRUSTED = ["--forward-ca", "cert.pem", "--forward-framing", "line"];
const REST = [
  ...["--max-size", "100", "--format", "json", "--stats-every", "10s"],
  ...["--answer-limit", "10/s", "--allow", "127.0.0.0/8", "--deny", "10.0.0.1"],
  ...[
    "--end-timeout",
    "9s",
    "--rate-limit",
    "100/s",
    "--burst",
    "5",
    "--trace",
  ],
];

/** Servers: their address, and their options. */
const SERVERS: [address: string, args: string[]][] = [
  ["127.0.0.1:0", []],
  ["127.0.0.1:0", [...REST, "--reply", "it's $HOME"]],
  ["127.0.0.2:0", ["--echo"]],
  ["localhost:0", ["--echo", ...PAGE]],
  ["[::1]:0", ["--echo", "--page", "[::1]:0"]],
  ["0.0.0.0:0", ["--echo", "--page", "localhost:0"]],
  ["0.0.0.0:0", ["--page", "0.0.0.0:0", "--page-token-file", "secret"]],
  ["127.0.0.2:0", ["--page", "127.0.0.2:0", "--page-host", "a.example"]],
  ["localhost:0", ["--fast", "--echo"]],
  ["127.0.0.2:0", ["--fast", "--echo", ...PAGE]],
  ["127.0.0.1:0", ["--receive-buffer", "64K", "--echo"]],
  ["127.0.0.1:0", ["--store", "it's, new", "--keep", "7d", "--receipt"]],
  ["127.0.0.1:0", ["--record", "it's, new", "--record-limit", "1MB"]],
  ["127.0.0.1:0", ["--forward", "localhost:9", ...LIMITED]],
  ["[::1]:0", [
    "--forward",
    "tcp://127.0.0.2:9",
    "--forward",
    "unix:it's.sock",
  ]],
  ["127.0.0.1:0", ["--forward", "127.0.0.9:9", "--forward-sender"]],
  ["127.0.0.1:0", ["--forward", "tls://127.0.0.1:9", ...TRUSTED]],
  ["tcp://localhost:0", ["--echo", "--framing", "length", ...PAGE]],
  ["tls://localhost:0", ["--echo", ...SECURE, ...PAGE]],
  ["quic://localhost:0", ["--echo", ...SECURE, ...TOKEN, ...PAGE]],
  ["quic://127.0.0.1:0", ["--echo", ...SECURE]],
];

/** Returns the carrier for a server, if it needs one of its own. */
function carrierTo(address: string, args: string[], cert: string) {
  const [scheme = ""] = address.split(":");
  const framing = args.includes("length") ? "length" : "line";
  const token = args.includes("--token-file") ? "s3cret" : undefined;
  const caCerts = [cert];
  const sources: Record<string, CarrierSource> = {
    tcp: tcp({ framing }),
    tls: tls({ framing, caCerts }),
    quic: quic({ caCerts, token }),
  };
  return sources[scheme];
}

Deno.test("each command that server prints works", () =>
  inParallel(SERVERS, ([address, args]) =>
    inFolder(async (folder, cert) => {
      const hasPage = args.includes("--page");
      const ends = ["--count", hasPage ? "2" : "1", ...LIMIT];
      const all = [address, ...ends, ...args];
      const command = await printedBy("server.ts", all, folder);
      await using program = typed(command, folder);
      const url = hasPage
        ? (await program.said(/^page at (\S+)$/))[1]!
        : undefined;
      const [, bound = ""] = await program.said(/^listening on (\S+)$/);
      if (url !== undefined) await sendByPage(url);
      await using socket = await connect(
        bound.replace("0.0.0.0", "127.0.0.1"),
        {
          carrier: carrierTo(address, args, cert),
        },
      );
      if (args.some((arg) => /^--(echo|reply|receipt)$/.test(arg))) {
        await socket.request("ping", SOON);
      } else await socket.send("ping");
      const { code, stdout, stderr } = await program.ended();
      assertEquals(code, 0, stderr);
      assertMatch(stdout, /ping/);
      // Only the carriers of the system's datagrams have the count.
      const counts = !/:\/\//.test(address);
      assertEquals(
        /kernelDrops":0|, 0 dropped by the system/.test(stderr),
        counts,
        stderr,
      );
    })));

/** Sends a message as the form of the page does. */
async function sendByPage(url: string): Promise<void> {
  const page = new URL("/send", url.replace("0.0.0.0", "127.0.0.1"));
  const response = await fetch(page, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "authorization": "Bearer s3cret",
    },
    body: JSON.stringify({ text: "by the page" }),
  });
  assertEquals(response.status, 200, await response.text());
}

Deno.test("the command of a unix: server works", () =>
  inFolder(async (folder) => {
    const args = [`unix:${folder}/pli.sock`, "--once", ...LIMIT, ...PAGE];
    const command = await printedBy("server.ts", args, folder);
    await using program = typed(command, folder);
    const [, url = ""] = await program.said(/^page at (\S+)$/);
    await program.said(/^listening on /);
    await sendByPage(url);
    const { code, stdout } = await program.ended();
    assertEquals(code, 0);
    assertMatch(stdout, /by the page\n$/);
  }));

Deno.test("the command of server --publish works, and holds no credentials", () =>
  inFolder(async (folder) => {
    using broker = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = broker.addr;
    const credentials = "me:s3cret";
    const url = `nats://${credentials}@127.0.0.1:${port}/pli.messages`;
    const args = ["127.0.0.1:0", "--once", `--publish=${url}`];
    const command = await printedBy("server.ts", args, folder);
    assertEquals(/s3cret|me:/.test(command), false, command);
    await using _program = typed(command, folder, {
      PLI_CREDENTIALS: credentials,
    });
    // The first connection only waits for the greeting.
    const hello = await greeted(broker) || await greeted(broker);
    assertMatch(hello, /"user":"me"/);
    assertMatch(hello, /"pass":"s3cret"/);
  }));

/** Clients: the address of their server, and their options. */
const CLIENTS: [address: string, args: string[]][] = [
  ["127.0.0.1:0", [
    "--wait",
    "--timeout",
    "9s",
    "--retries",
    "1",
    "--backoff",
    "x",
  ]],
  ["127.0.0.1:0", [
    "--wait",
    ...LIMIT,
    "--format",
    "json",
    "--quiet",
    "--",
    "-x's",
  ]],
  ["127.0.0.1:0", ["--repeat", "2", "--rate", "100", "--hex", "00 ff"]],
  ["127.0.0.1:0", ["--file", "it's, a file", "--trace"]],
  ["127.0.0.2:0", ["--wait", ...LIMIT, "x"]],
  ["localhost:0", ["--wait", ...LIMIT, "x"]],
  ["[::1]:0", ["--wait", ...LIMIT, "x"]],
  ["127.0.0.2:0", ["--fast", "--wait", ...LIMIT, "x"]],
  ["localhost:0", ["--fast", "--wait", ...LIMIT, "x"]],
  ["tcp://localhost:0", ["--framing", "length", "--wait", ...LIMIT, "x"]],
  ["tls://localhost:0", ["--ca", "cert.pem", "--wait", ...LIMIT, "x"]],
  ["quic://localhost:0", [
    "--ca",
    "cert.pem",
    ...TOKEN,
    "--wait",
    ...LIMIT,
    "x",
  ]],
  ["quic://127.0.0.1:0", [
    "--ca",
    "cert.pem",
    "--reliable",
    "--wait",
    ...LIMIT,
    "x",
  ]],
];

Deno.test("each command that client prints works", () =>
  inParallel(CLIENTS, ([address, args]) =>
    inFolder(async (folder) => {
      const cert = await Deno.readTextFile(`${folder}/cert.pem`);
      const key = await Deno.readTextFile(`${folder}/key.pem`);
      const token = args.includes("--token-file") ? "s3cret" : undefined;
      const carriers: Record<string, CarrierSource> = {
        tcp: tcp({ framing: "length" }),
        tls: tls({ cert, key }),
        quic: quic({ cert, key, token }),
      };
      await using listening = serve(address, ({ data }) => data, {
        carrier: carriers[address.replace(/:.*/, "")],
      });
      const { port } = listening.addr;
      const to = address.replace(/0$/, `${port}`);
      const command = await printedBy(
        "client.ts",
        ["--to", to, ...args],
        folder,
      );
      await using program = typed(command, folder);
      const { code, stdout, stderr } = await program.ended();
      assertEquals(code, 0, stderr);
      if (args.includes("--wait")) assertMatch(stdout, /x/);
      assert(listening.stats.received > 0);
    })));

Deno.test("the command of a client to an unknown host reaches its resolution", () =>
  inFolder(async (folder) => {
    const args = ["--to", "no-such.invalid:9", "x"];
    const command = await printedBy("client.ts", args, folder);
    await using program = typed(command, folder);
    assertMatch((await program.ended()).stderr, /unknown host\n$/);
  }));

Deno.test("the command of a client to a unix: server works", () =>
  inFolder(async (folder) => {
    const path = `${folder}/pli.sock`;
    await using socket = bind(`unix:${path}`);
    const args = ["--to", `unix:${path}`, "x"];
    const command = await printedBy("client.ts", args, folder);
    await using program = typed(command, folder);
    assertEquals((await program.ended()).code, 0);
    assertEquals((await socket.receive(SOON)).text(), "x");
  }));

Deno.test("the command of server with --quiet works", () =>
  inFolder(async (folder) => {
    const args = ["127.0.0.1:0", "--timeout", "50ms", "--quiet"];
    const command = await printedBy("server.ts", args, folder);
    await using program = typed(command, folder);
    const { code, stderr } = await program.ended();
    assertEquals([code, stderr], [3, ""]);
  }));

Deno.test("a program names the permission that it misses", async () => {
  for (
    const [args, missing] of [
      [["127.0.0.2:0", "--store", "no.db"], "listen on udp://127.0.0.2:0"],
      [["127.0.0.1:0", "--store", "no.db"], 'open "no.db"'],
      [["127.0.0.1:0", "--page", "[::1]:9"], "serve the page at [::1]:9"],
      [
        ["127.0.0.1:0", "--publish=nats://me:s3cret@192.0.2.1/a"],
        "publish to nats://192.0.2.1:4222/a",
      ],
      [["127.0.0.1:0", "--fast"], "call the system directly (--fast)"],
      [
        ["quic://127.0.0.1:0", "--cert", "server.ts", "--key", "server.ts"],
        "read the variable PLI_TOKEN",
      ],
    ] as const
  ) {
    const flags = ["--allow-net=127.0.0.1", "--allow-read=server.ts"];
    const { code, stderr } = await run("server.ts", [...args], { flags });
    assertEquals(code, 2);
    const start = `Cannot ${missing} without permission; run: deno run `;
    assertEquals(stderr.slice(0, start.length), start);
  }
});

Deno.test("every option of server and client is in a command that was tried", async () => {
  const texts = ["permissions.ts", "credentials.ts"].map((name) =>
    Deno.readTextFile(new URL(name, import.meta.url))
  );
  const text = (await Promise.all(texts)).join("");
  const { OPTIONS: { values, flags, lists } } = server;
  for (const name of [...values, ...flags, ...lists]) {
    assert(text.includes(`"--${name}`) || text.includes(`--${name}=`), name);
  }
  for (const name of [...client.OPTIONS.values, ...client.OPTIONS.flags]) {
    assert(text.includes(`"--${name}"`), name);
  }
});
