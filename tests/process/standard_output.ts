/** Servers whose standard output is not read, closed or full, beside a store. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../mod.ts";
import { StoreReader } from "../../lib/sinks/store/reader.ts";
import { Process } from "./support/programs.ts";

const DENO = `'${Deno.execPath()}' run --quiet --no-prompt -A`;
const OPTIONS = "127.0.0.1:0 --format json --stats-every 20ms";

/** A server with a store, whose standard output goes where the shell says. */
async function withServer(
  redirection: (folder: string) => string,
  test: (
    server: Process,
    address: string,
    folder: string,
  ) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const command = `${DENO} server.ts ${OPTIONS} --store ${folder}/m.db`;
    const line = redirection(folder).replace("SERVER", command);
    await using server = new Process("bash", ["-c", line]);
    const [, address = ""] = await server.said(/^listening on (\S+)$/);
    await test(server, address, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Sends messages no faster than they are received. */
async function sendAll(
  server: Process,
  address: string,
  count: number,
  size: number,
): Promise<void> {
  await using client = await connect(address);
  const message = new Uint8Array(size).fill(0x78);
  for (let n = 1; n <= count; n++) {
    await client.send(message);
    // The system's buffer holds 200 KiB, or 256 messages.
    if (n % (size > 1000 ? 5 : 100) !== 0 && n < count) continue;
    await server.said(new RegExp(`"received":${n}\\b`));
  }
}

/** The counts in the last line that a server printed. */
function totals(stderr: string) {
  return JSON.parse(stderr.match(/^\{.*\}$/gm)!.at(-1)!);
}

Deno.test("server stores all while nobody reads its standard output, and ends when it is told to", () =>
  withServer(
    (folder) =>
      `mkfifo ${folder}/out; exec 3<>${folder}/out; exec SERVER >&3 3<&-`,
    async (server, address, folder) => {
      await sendAll(server, address, 200, 30_000);
      server.kill("SIGTERM");
      const { code, stderr } = await server.ended();
      assertEquals(code, 0, stderr);
      const { received, sinks } = totals(stderr);
      assertEquals([received, sinks.store.stored], [200, 200]);
      const { printed, dropped, waiting } = sinks.print;
      assertEquals([printed + dropped, waiting], [200, 0]);
      assert(dropped > 0);
      assertMatch(stderr, /^\d+ messages could not be printed$/m);
      using store = new StoreReader(`${folder}/m.db`);
      assertEquals(store.latest(1)[0]?.id, 200);
    },
  ));

for (
  const [what, redirection, says] of [
    [
      "is closed",
      "exec SERVER > >(exec sleep 0)",
      /^standard output was closed; going on without it$/m,
    ],
    [
      "is full",
      "exec SERVER >/dev/full",
      /^Cannot write to standard output: .*; messages wait, and are counted$/m,
    ],
  ] as const
) {
  Deno.test(`server whose standard output ${what} stores all, says so once, and exits 0`, () =>
    withServer(() => redirection, async (server, address) => {
      await sendAll(server, address, 500, 10);
      server.kill("SIGTERM");
      const { code, stderr } = await server.ended();
      assertEquals(code, 0, stderr);
      const { received, sinks } = totals(stderr);
      assertEquals([received, sinks.store.stored], [500, 500]);
      const { printed, dropped } = sinks.print;
      assertEquals(printed + dropped, 500);
      assertMatch(stderr, says);
      assertEquals(stderr.match(/standard output/g)?.length, 1, stderr);
    }));
}

Deno.test("relay whose totals nobody reads ends when it is told to", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const relay = `${DENO} lib/programs/relay.ts --listen 127.0.0.1:0 \
--to 127.0.0.1:9 --format json --stats-every 1ms`;
    // A pipe that is full from the start.
    const line = `mkfifo ${folder}/out; exec 3<>${folder}/out; \
dd if=/dev/zero of=${folder}/out bs=64k count=1 2>&-; exec ${relay} >&3 3<&-`;
    await using program = new Process("bash", ["-c", line]);
    await program.said(/^relaying /);
    program.kill("SIGTERM");
    assertEquals((await program.ended()).code, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
