/**
 * Node's own tests of `node:dgram` over the facade. They are not part of this
 * project: PLI_NODE_TESTS names a folder that has `common` and `parallel` of
 * Node's `test` (those of denoland/node_test, for example). Without it nothing is
 * run, which the output says.
 */
import { assertEquals } from "@std/assert";
import { NODE } from "./support/runtimes.ts";

const FOLDER = Deno.env.get("PLI_NODE_TESTS");
const REPLACE = new URL("node_dgram/replace.ts", import.meta.url).pathname;
const TIMEOUT_MS = 30_000;
const AT_ONCE = 4;

/** Tests of clusters, and of sockets that are made from a descriptor. */
const OTHERS = /cluster|bind-fd|handle-fd|exclusive-implicit-bind/;

/** How Node's tests are run, and which fail. docs/compatibility.md says why. */
const RUNS = {
  "dgram() on Deno": {
    command: Deno.execPath(),
    args: ["run", "-A", "--quiet", "--unstable-net", "--preload", REPLACE],
    carrier: "dgram",
    failing: [
      "create-socket-handle",
      "createSocket-type",
      "socket-buffer-size",
    ],
  },
  "Deno's own UDP": {
    command: Deno.execPath(),
    args: ["run", "-A", "--quiet", "--unstable-net", "--preload", REPLACE],
    carrier: "default",
    failing: [
      "create-socket-handle",
      "createSocket-type",
      "ipv6only",
      "multicast-set-interface",
      "setTTL",
      "socket-buffer-size",
    ],
  },
  "dgram() on Node": {
    command: NODE,
    args: ["--expose-internals", "--no-warnings", "--import", REPLACE],
    carrier: "dgram",
    failing: ["socket-buffer-size"],
  },
} as const;

/** Runs a test. @returns Whether it has passed. */
async function passes(
  { command, args, carrier }: (typeof RUNS)[keyof typeof RUNS],
  name: string,
): Promise<boolean> {
  const { success } = await new Deno.Command(command, {
    args: [...args, `parallel/${name}`],
    cwd: FOLDER!,
    env: {
      NO_COLOR: "1",
      NODE_TEST_KNOWN_GLOBALS: "0",
      NODE_SKIP_FLAG_CHECK: "1",
      PLI_CARRIER: carrier,
    },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

async function failing(
  run: (typeof RUNS)[keyof typeof RUNS],
  names: string[],
): Promise<string[]> {
  const failed: string[] = [];
  const left = [...names];
  const work = async () => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      if (!await passes(run, name)) failed.push(name);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return failed.sort();
}

for (const [title, run] of Object.entries(RUNS)) {
  Deno.test(`Node's own tests of dgram pass over ${title}, but for what is known`, async () => {
    if (FOLDER === undefined) {
      console.log("not run: PLI_NODE_TESTS names no folder with Node's tests");
      return;
    }
    const names = Array.from(Deno.readDirSync(`${FOLDER}/parallel`))
      .map(({ name }) => name)
      .filter((name) => /^test-dgram-/.test(name) && !OTHERS.test(name));
    const failed = await failing(run, names);
    console.log(`${names.length - failed.length} of ${names.length} pass`);
    assertEquals(
      failed,
      run.failing.map((name) => `test-dgram-${name}.js`),
    );
  });
}
