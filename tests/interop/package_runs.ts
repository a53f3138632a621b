/** What programs and tests of a project do that has installed the package. */
import { assertEquals, assertMatch } from "@std/assert";
import {
  BUN,
  inPackage,
  NODE,
  run,
  show,
  VITEST_RUN,
} from "./support/runtimes.ts";
import {
  denoProject,
  ENTRIES,
  Folder,
  nodeProject,
  peers,
  TARBALL,
} from "./support/tarball.ts";

const HARNESS = await source("harness.mjs");
const UDP = await source("udp.mjs");
const DENO = Deno.execPath();

/** A test of Vitest. */
const VITEST = `
import { expect, test } from "vitest";
import { simulateNetwork, withServer } from "@pli/datagram/testing";

test("a request is sent again until it is answered", () => {
  const network = simulateNetwork({ seed: 7, loss: 0.3 });
  return network.run(() =>
    withServer((datagram) => \`echo: \${datagram.text()}\`, async (client) => {
      const reply = await client.request("ping", {
        timeoutMs: 200,
        retries: 9,
      });
      expect(reply.text()).toBe("echo: ping");
    }, { carrier: network })
  );
});`;

/** A CommonJS module. */
const REQUIRE = `
const { bind } = require("@pli/datagram");
const { carrierContract } = require("@pli/datagram/testing");
console.log(typeof bind, typeof carrierContract);`;

/** A program of which a bundler makes one file. */
const BUNDLED = `
import { bind, connect } from "@pli/datagram";
import { simulateNetwork } from "@pli/datagram/testing";
const network = simulateNetwork();
network.run(async () => {
  const socket = bind("udp://10.0.0.1:7", { carrier: network });
  const client = await connect(socket.addr, { carrier: network });
  await client.send("Bonjour");
  console.log((await socket.receive()).text());
  client.close();
  socket.close();
});`;

/** What the program of `UDP` prints. */
const UDP_PRINTS = `\
round trip: bien reçu
timeout: true then: after a timeout
truncated: true 100
in use: true
request: echo: ping
received: 3 waiting: 0 dropped: 0
`;

function source(name: string): Promise<string> {
  return Deno.readTextFile(new URL(`package/${name}`, import.meta.url));
}

Deno.test("a program sends and receives by UDP on Node and Bun", async () => {
  await using folder = await nodeProject({ "udp.mjs": UDP });
  for (const runtime of [NODE, BUN]) {
    const { text } = await show(folder.path, runtime, "udp.mjs");
    assertEquals(text, UDP_PRINTS);
  }
});

Deno.test("the same program sends and receives by UDP on Deno", async () => {
  await using folder = await denoProject({ "udp.mjs": UDP });
  const args = ["run", "--quiet", "--allow-net=127.0.0.1", "udp.mjs"];
  const { text } = await show(folder.path, DENO, ...args);
  assertEquals(text, UDP_PRINTS);
});

Deno.test("the package installs without a network, and runs where no file can be written", async () => {
  // What it depends on was downloaded once.
  await using _online = await nodeProject({});
  await using folder = await Folder.with({
    "package.json": "{}",
    "udp.mjs": UDP,
  });
  const npm = ["install", "--offline", "--no-audit", "--no-fund"];
  const installed = await show(folder.path, "npm", ...npm, TARBALL);
  assertEquals(installed.code, 0);
  const node = ["--permission", "--allow-fs-read=*", "udp.mjs"];
  const { text } = await show(folder.path, NODE, ...node);
  assertEquals(text, UDP_PRINTS);
});

Deno.test("node --test runs the harness and the contract of carriers", async () => {
  await using folder = await nodeProject({ "harness.test.mjs": HARNESS });
  const { text } = await show(folder.path, NODE, "--test");
  assertMatch(text, /^ℹ pass \d{2,}$/m);
  assertMatch(text, /^ℹ fail 0$/m);
});

Deno.test("bun test runs the harness and the contract of carriers", async () => {
  await using folder = await nodeProject({ "harness.test.mjs": HARNESS });
  const { text } = await show(folder.path, BUN, "test", "--timeout=120000");
  assertMatch(text, /^ \d{2,} pass$/m);
  assertMatch(text, /^ 0 fail$/m);
});

Deno.test("deno test runs the harness and the contract of carriers", async () => {
  await using folder = await denoProject({ "harness.test.mjs": HARNESS });
  const { text } = await show(
    folder.path,
    DENO,
    "test",
    "--quiet",
    "--allow-net",
  );
  assertMatch(text, /^ok \| \d{2,} passed \| 0 failed/m);
});

Deno.test("vitest runs a test over the simulated network", async () => {
  await using folder = await nodeProject({ "harness.test.ts": VITEST });
  await Deno.symlink(
    inPackage("vitest"),
    `${folder.path}/node_modules/vitest`,
  );
  const vitest = inPackage("vitest/vitest.mjs");
  const { text } = await show(folder.path, NODE, vitest, ...VITEST_RUN);
  assertMatch(text, /Tests {2}1 passed/);
});

Deno.test("a CommonJS module can require the package on Node and Bun", async () => {
  await using folder = await nodeProject({ "main.js": REQUIRE });
  for (const runtime of [NODE, BUN]) {
    const { text } = await show(folder.path, runtime, "main.js");
    assertEquals(text, "function function\n");
  }
});

Deno.test("a bundle by esbuild runs on Node, as ESM and as CommonJS", async () => {
  await using folder = await nodeProject({ "main.mjs": BUNDLED });
  const esbuild = inPackage("esbuild/bin/esbuild");
  for (const [format, file] of [["esm", "out.mjs"], ["cjs", "out.cjs"]]) {
    const bundle = ["main.mjs", "--bundle", "--platform=node"];
    const args = [...bundle, `--format=${format}`, `--outfile=${file}`];
    await show(folder.path, NODE, esbuild, ...args);
    const { text } = await show(folder.path, NODE, file!);
    assertEquals(text, "Bonjour\n");
  }
});

Deno.test("pnpm, whose packages see only what they name, installs it", async () => {
  await using folder = await nodeProject({ "harness.test.mjs": HARNESS });
  await Deno.remove(`${folder.path}/node_modules`, { recursive: true });
  await Deno.writeTextFile(`${folder.path}/package.json`, "{}");
  const pnpm = inPackage("pnpm/bin/pnpm.cjs");
  await show(folder.path, NODE, pnpm, "add", "--prefer-offline", TARBALL);
  const { text } = await show(folder.path, NODE, "--test");
  assertMatch(text, /^ℹ fail 0$/m);
});

const version = await run(".", "node", "--version");
const major = parseInt(version.text.slice(1));
Deno.test({
  name: "Node below 24 gets one line, from each entry",
  ignore: !(major < 24),
  async fn() {
    await using folder = await nodeProject({}, ...await peers());
    for (const entry of ENTRIES) {
      const file = `import * as all from "${entry}"; console.log(all);`;
      await Deno.writeTextFile(`${folder.path}/main.mjs`, file);
      const { text } = await show(folder.path, "node", "main.mjs");
      assertMatch(
        text,
        /^\[?Error: @pli\/datagram(\/\w+ needs Deno: .+| needs Node 24 or later: this is Node [\d.]+)\]?$/m,
      );
    }
  },
});
