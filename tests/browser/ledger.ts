/// <reference lib="dom" />
import { assert, assertEquals, assertMatch } from "@std/assert";
import { StoreReader } from "../../lib/sinks/store/reader.ts";
import type { CollectorStats } from "../../lib/sink.ts";
import { connect } from "../../mod.ts";
import { Program } from "../process/support/programs.ts";
import { browserTest } from "./support/browser.ts";

const SENT = 200_000;
// While these are sent the server is stopped, so that the system drops some,
// however fast the server is and however large its buffer.
const STOPPED = { first: 100_000, last: 120_000 };

/** Adds up all outcomes. */
function total({ dropped, kernelDrops, sinks }: CollectorStats): number {
  const { stored = NaN, waiting = NaN, notStored = NaN } = sinks["store"] ?? {};
  const refused = Object.values(dropped).reduce((sum, n) => sum + n, 0);
  return stored + waiting + notStored + refused + (kernelDrops ?? 0);
}

browserTest(
  `of ${SENT} messages at full speed, stored and dropped ones add up, also on the page`,
  async (open) => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/messages.db`;
    await using server = new Program("server.ts", [
      ...["127.0.0.1:0", "--store", path, "--page", "127.0.0.1:0"],
      ...["--rate-limit", "1000/s", "--burst", "5000", "--format", "json"],
    ], {
      flags: [
        "--allow-net=127.0.0.1",
        "--allow-run=cat",
        `--allow-read=${path}`,
        `--allow-write=${path}`,
      ],
    });
    const [, url = ""] = await server.said(/^page at (\S+)$/);
    const [, address = ""] = await server.said(/^listening on (\S+)$/);
    const tab = await open(url);
    {
      await using client = await connect(address);
      const data = new Uint8Array(100).fill(0x61);
      for (let n = 0; n < SENT; n++) {
        if (n === STOPPED.first) server.kill("SIGSTOP");
        if (n === STOPPED.last) server.kill("SIGCONT");
        await client.send(data);
      }
      assertEquals(client.stats.sent, SENT);
    }
    const read = async () =>
      await (await fetch(`${url}stats`)).json() as CollectorStats;
    let stats = await read();
    while (total(stats) < SENT || stats.sinks["store"]?.["waiting"] !== 0) {
      await new Promise((go) => setTimeout(go, 50));
      stats = await read();
    }
    assertEquals(total(stats), SENT);
    const { rateLimited = 0 } = stats.dropped;
    assert(rateLimited > 0 && stats.kernelDrops! > 0);

    // The page shows each number of /stats, under its name.
    const expected = {
      received: stats.received,
      dropped: Object.values(stats.dropped).reduce((sum, n) => sum + n, 0) +
        stats.kernelDrops!,
    };
    await tab.waitForFunction(
      (expected) =>
        Object.entries(expected).every(([id, n]) =>
          document.getElementById(id)?.textContent?.replaceAll(",", "") ===
            String(n)
        ),
      expected,
    );
    const shown = (await tab.locator("#counts").innerText())
      .replaceAll(",", "").replace(/\s+/g, " ");
    for (
      const [name, n] of [
        ["rate limited", rateLimited],
        ["by the system", stats.kernelDrops],
        ["stored", stats.sinks["store"]?.["stored"]],
      ] as const
    ) {
      assertMatch(shown, new RegExp(`${name} ${n}\\b`));
    }

    server.kill("SIGINT");
    const { code, stderr } = await server.ended();
    assertEquals(code, 0, stderr);
    const last = JSON.parse(stderr.trimEnd().split("\n").at(-1)!);
    assertEquals(total(last), SENT);
    using store = new StoreReader(path);
    let stored = 0;
    for (const _ of store.select({})) stored++;
    assertEquals(stored, last.sinks.store.stored);
    await Deno.remove(folder, { recursive: true });
  },
);
