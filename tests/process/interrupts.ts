/**
 * A program that is interrupted while it still opens: it closes cleanly, prints its
 * totals and exits with 0, whatever it waits for.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { bind, connect } from "../../mod.ts";
import { Process, Program, type Start } from "./support/programs.ts";
import { until } from "../support/helpers.ts";

const ALL: Start = { flags: ["-A"] };
const NOTHING = "sent 0 messages (0 bytes)\n";

/** Interrupts a client that has not connected, and expects its totals. */
async function isInterrupted(
  args: string[],
  isConnecting: () => Promise<unknown>,
): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    await using client = new Program("client.ts", [...args, "a", "b"], ALL);
    await isConnecting();
    client.kill(signal);
    const { code, stderr } = await client.ended();
    assertEquals([code, stderr], [0, `not sent: 2 messages\n${NOTHING}`]);
  }
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

Deno.test("client is interrupted while a tcp:// server does not answer", async () => {
  // Its queue is full, so that the system answers nobody.
  const hostname = "127.0.0.1";
  using listener = Deno.listen({ hostname, port: 0, tcpBacklog: 0 });
  const { port } = listener.addr;
  using _full = await Deno.connect({ hostname, port });
  const connecting = new RegExp(
    `:${port.toString(16).padStart(4, "0")} 02`,
    "i",
  );
  await isInterrupted(
    ["--to", `tcp://${hostname}:${port}`],
    () =>
      until(async () => {
        // Deno itself reads it only with all permissions.
        const cat = new Deno.Command("cat", { args: ["/proc/net/tcp"] });
        const { stdout } = await cat.output();
        return connecting.test(new TextDecoder().decode(stdout));
      }),
  );
});

Deno.test("client is interrupted while a tls:// server is silent", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns: Deno.Conn[] = [];
  await isInterrupted(
    ["--to", `tls://127.0.0.1:${listener.addr.port}`],
    async () => {
      const conn = await listener.accept();
      conns.push(conn);
      // Its handshake has begun.
      await conn.read(new Uint8Array(1));
    },
  );
  for (const conn of conns) conn.close();
});

Deno.test("client is interrupted while a quic:// server is silent", async () => {
  await using socket = bind("127.0.0.1:0");
  const heard = new Set<number>();
  await isInterrupted(
    ["--to", `quic://127.0.0.1:${socket.addr.port}`],
    async () => {
      for await (const { from } of socket) {
        if (heard.has(from.port)) continue;
        heard.add(from.port);
        break;
      }
    },
  );
});

Deno.test("client and relay are interrupted while a name is looked up", async () => {
  // A name server that is silent, for these processes only.
  const host = `127.53.${process(0)}.${process(8)}`;
  await using names = bind(`${host}:53`);
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/resolv.conf`, `nameserver ${host}\n`);
  const under = [
    ...["unshare", "-m", "sh", "-c"],
    `mount --bind ${folder}/resolv.conf /etc/resolv.conf && exec "$@"`,
    "sh",
  ];
  const start: Start = { ...ALL, under };
  await using client = new Program(
    "client.ts",
    ["--to", "tcp://pli.invalid:9", "--quiet", "a"],
    start,
  );
  await names.receive();
  client.kill("SIGINT");
  const sent = await client.ended();
  assertEquals([sent.code, sent.stderr], [0, "not sent: 1 message\n"]);
  await using relay = new Program(
    "lib/programs/relay.ts",
    ["--listen", "127.0.0.1:0", "--to", "pli-relay.invalid:9"],
    start,
  );
  while (!(await names.receive()).text().includes("pli-relay"));
  relay.kill("SIGTERM");
  const relayed = await relay.ended();
  assertEquals(relayed.code, 0);
  assertMatch(relayed.stderr, /^up: received 0 datagrams, forwarded 0\n/);
  await Deno.remove(folder, { recursive: true });
});

/** Different numbers for tests that run at the same time. */
function process(shift: number): number {
  return (Deno.pid >> shift) & 0xff;
}

Deno.test("client is interrupted while it reads a file that does not end", async () => {
  const folder = await Deno.makeTempDir();
  const fifo = `${folder}/fifo`;
  await using mkfifo = new Process("mkfifo", [fifo]);
  assertEquals((await mkfifo.ended()).code, 0);
  await using client = new Program(
    "client.ts",
    ["--to", "127.0.0.1:9", "--file", fifo],
    ALL,
  );
  using _writer = await Deno.open(fifo, { write: true });
  client.kill("SIGINT");
  const { code, stderr } = await client.ended();
  assertEquals([code, stderr], [0, NOTHING]);
  await Deno.remove(folder, { recursive: true });
});

for (
  const { file, lines, rest, sent } of [
    {
      file: [],
      lines: "a\nbeg",
      rest: "one that has begun (3 bytes)",
      sent: "1 message (1 byte)",
    },
    {
      file: ["--rate", "1/h", "--repeat", "3"],
      lines: "a\nb\r\nc\nd",
      rest: "8 messages and one that has begun (1 byte)",
      sent: "1 message (1 byte)",
    },
  ]
) {
  Deno.test(`client says what it has read of its input and not sent: ${rest}`, async () => {
    await using socket = bind("127.0.0.1:0");
    const input = new TransformStream<Uint8Array, Uint8Array>();
    const to = ["--to", `127.0.0.1:${socket.addr.port}`];
    await using client = new Program("client.ts", [...to, ...file], {
      stdin: input.readable,
    });
    const writer = input.writable.getWriter();
    await writer.write(new TextEncoder().encode(lines));
    await socket.receive();
    client.kill("SIGINT");
    const { code, stderr } = await client.ended();
    assertEquals([code, stderr], [0, `not sent: ${rest}\nsent ${sent}\n`]);
    await writer.close().catch(() => {});
  });
}

Deno.test("server is interrupted while it waits for its store, and counts what has arrived", async () => {
  const folder = await Deno.makeTempDir();
  const store = ["--store", `${folder}/x.db`];
  await using other = new Program("server.ts", ["127.0.0.1:0", ...store], ALL);
  await other.said(/^listening on /);
  for (const format of ["text", "json"]) {
    const address = `unix:${folder}/${format}`;
    const args = [address, ...store, "--format", format];
    await using server = new Program("server.ts", args, ALL);
    await until(() => exists(`${folder}/${format}`));
    await using client = await connect(address as `unix:${string}`);
    await client.send("too early");
    server.kill("SIGTERM");
    const { code, stdout, stderr } = await server.ended();
    assertEquals([code, stdout], [0, ""]);
    if (format === "text") {
      assertEquals(
        stderr,
        "received 0 messages (0 bytes), 1 dropped unread at the end\n",
      );
    } else {
      const { received, dropped } = JSON.parse(stderr);
      assertEquals([received, dropped.closed], [0, 1]);
    }
    assertEquals(await exists(`${folder}/${format}`), false);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("server is interrupted while it reads a certificate that does not end", async () => {
  const folder = await Deno.makeTempDir();
  const fifo = `${folder}/fifo`;
  await using mkfifo = new Process("mkfifo", [fifo]);
  assertEquals((await mkfifo.ended()).code, 0);
  const identity = ["--cert", fifo, "--key", fifo];
  for (const scheme of ["tls", "quic"]) {
    const args = [`${scheme}://127.0.0.1:0`, ...identity];
    await using server = new Program("server.ts", args, ALL);
    using _writer = await Deno.open(fifo, { write: true });
    server.kill("SIGINT");
    const { code, stderr } = await server.ended();
    assertEquals([code, stderr], [0, "received 0 messages (0 bytes)\n"]);
  }
  await Deno.remove(folder, { recursive: true });
});
