/** Virtual time beside files, processes and real sockets, and by each form of import. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import children from "node:child_process";
import crypto from "node:crypto";
import dns from "node:dns";
import fs from "node:fs";
import files from "node:fs/promises";
import { promisify } from "node:util";
import { bind, connect } from "../../mod.ts";
import { simulateNetwork } from "../../lib/testing/mod.ts";
import { ROOT, run } from "./support/programs.ts";

const PROGRAM = "tests/process/support/virtual_program.ts";
const ALL = { flags: ["--no-prompt", "--allow-all"] };
const sleep = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

/** Runs the program in a process of its own, and returns the digests it prints. */
async function digests(...args: string[]): Promise<string[]> {
  const { stdout, stderr } = await run(PROGRAM, args, ALL);
  assertEquals(stderr, "");
  return stdout.trim().split("\n");
}

Deno.test("300 runs with digests, files and processes have one trace, each process the same", async () => {
  const all = await digests("300");
  assertEquals(all.length, 1);
  assertEquals(await digests("1"), all);
});

Deno.test("a trace with ids that packages draw is the same in each process", async () => {
  const first = await digests("1", "packages");
  assertEquals(await digests("1", "packages"), first);
  assert(first[0] !== (await digests("1"))[0]);
});

/** Returns the promise of a function that calls back. */
function calledBack(call: (done: (error: unknown) => void) => unknown) {
  return () =>
    new Promise<void>((done, fail) =>
      call((error) => error ? fail(error) : done())
    );
}

async function each(steps: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of steps);
}

const JOBS: Record<string, () => Promise<unknown>> = {
  "Deno.readTextFile": () => Deno.readTextFile("deno.json"),
  "Deno.stat": () => Deno.stat("deno.json"),
  "Deno.readDir": () => each(Deno.readDir("lib")),
  "a file of Deno's": async () => {
    using file = await Deno.open("deno.json");
    await file.read(new Uint8Array(10));
    await file.stat();
  },
  "Deno.Command": () => new Deno.Command("true").output(),
  "a child of Deno's": () =>
    new Deno.Command("true", { stdout: "null" }).spawn().status,
  "the output of a child": () =>
    new Deno.Command("true", { stdout: "piped", stderr: "piped" }).spawn()
      .output(),
  "Deno.resolveDns": () => Deno.resolveDns("localhost", "A").catch(() => {}),
  "fetch": async () => {
    const response = await fetch("data:text/plain,hello");
    assertEquals(await response.text(), "hello");
  },
  "fs.promises.readFile": () => files.readFile("deno.json"),
  "a handle of fs.promises": async () => {
    const file = await files.open("deno.json");
    await file.read(new Uint8Array(10));
    await file.close();
  },
  "fs.readFile": calledBack((done) => fs.readFile("deno.json", done)),
  "fs.readFile, promisified": () => promisify(fs.readFile)("deno.json"),
  "child_process.execFile": calledBack((done) =>
    children.execFile("true", done)
  ),
  "child_process.exec, promisified": () => promisify(children.exec)("true"),
  "dns.lookup": calledBack((done) => dns.lookup("localhost", done)),
  "dns.promises.lookup": () => dns.promises.lookup("localhost"),
  "crypto.subtle": () =>
    globalThis.crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]),
  "crypto.pbkdf2": calledBack((done) =>
    crypto.pbkdf2("secret", "salt", 10_000, 32, "sha256", done)
  ),
};
for (const [name, job] of Object.entries(JOBS)) {
  Deno.test(`time stands still for ${name}, and goes on after it`, async () => {
    // A process or a name may take long on a busy machine.
    const network = simulateNetwork({ stuckMs: 60_000 });
    await network.run(async () => {
      let late = false;
      const timer = setTimeout(() => late = true, 1);
      await job();
      assertEquals(late, false);
      await sleep(5);
      clearTimeout(timer);
      assertEquals(late, true);
    });
    assertEquals(network.clock.now(), 5);
  });
}

/** Runs a program, given as source, in a process of its own. */
function runSource(source: string) {
  const harness = new URL("lib/testing/mod.ts", ROOT).href;
  const text = `import { simulateNetwork } from "${harness}";\n${source}`;
  const flags = [...ALL.flags, "--config", "deno.json"];
  return run(`data:text/javascript,${encodeURIComponent(text)}`, [], { flags });
}

for (
  const [what, source] of [
    [
      "an error in a timer",
      `setTimeout(() => { throw new Error("mine"); }, 5)`,
    ],
    ["an unhandled rejection", `Promise.reject(new Error("mine"))`],
    ["a job that fails unhandled", `Deno.readTextFile("mine")`],
  ]
) {
  Deno.test(`${what} ends the process as ever, and the seed is printed`, async () => {
    const { code, stderr } = await runSource(`
      await simulateNetwork({ seed: 77 }).run(async () => {
        ${source};
        await new Promise((wake) => setTimeout(wake, 1000));
      });`);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "(simulated network, seed 77)\n");
    assertStringIncludes(stderr, "mine");
  });
}

Deno.test("a run in a worker is a run of its own", async () => {
  const harness = new URL("lib/testing/mod.ts", ROOT).href;
  const source = `
    import { simulateNetwork } from "${harness}";
    postMessage(await simulateNetwork().run(async () => {
      await new Promise((wake) => setTimeout(wake, 3600000));
      return new Date().toISOString();
    }));`;
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  // A worker may take long to start.
  const network = simulateNetwork({ stuckMs: 60_000 });
  await network.run(async () => {
    const date = await network.real(async () => {
      const worker = new Worker(url, { type: "module" });
      const { data } = await new Promise<MessageEvent>((done) =>
        worker.onmessage = done
      );
      worker.terminate();
      return data;
    });
    assertEquals(date, "2026-01-01T01:00:00.000Z");
    assertEquals(network.clock.now(), 0);
  });
});

Deno.test("a real socket beside the network keeps real time limits", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using server = bind("udp://127.0.0.1:0");
    await using client = await connect(server.addr);
    setTimeout(() => {}, 1e9).unref();
    const [datagram] = await network.real(() =>
      Promise.all([
        server.receive({ timeoutMs: 30_000 }),
        client.send("real"),
      ])
    );
    assertEquals(datagram.text(), "real");
    // It is real time that passes.
    const late = await network.real(() =>
      server.receive({ timeoutMs: 20 }).catch((error) => error)
    );
    assert(late instanceof Deno.errors.TimedOut);
    assertEquals(network.clock.now(), 0);
  });
});

const FORMS = [
  "global: virtual",
  "default: virtual",
  "named: real",
  "namespace: real",
  "require: virtual",
  "require, taken before: real",
  "promises default: virtual",
  "promises named: real",
  "promises namespace: real",
  "promises require: virtual",
  "crypto global: seeded",
  "crypto default: seeded",
  "crypto named randomBytes: seeded",
  "crypto named randomUUID: seeded",
  "crypto named randomInt: real",
  "crypto named randomFillSync: real",
  "crypto require: seeded",
];

/** Prints which forms of import are reached. */
async function forms(...flags: string[]): Promise<string[]> {
  const { stdout, stderr } = await run(
    "tests/process/support/imports/forms.mjs",
    [new URL("lib/testing/mod.ts", ROOT).href],
    { flags: [...ALL.flags, ...flags] },
  );
  assertEquals(stderr, "");
  return stdout.trim().split("\n");
}

Deno.test("which forms of import of Node's modules have virtual time on Deno", async () => {
  assertEquals(await forms(), FORMS);
});

Deno.test("an import map brings virtual time to all forms of import of node:timers", async () => {
  const { exports, imports } = JSON.parse(await Deno.readTextFile("deno.json"));
  const entry = (name: string) => new URL(exports[name], ROOT).href;
  const config = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const map = {
      ...imports,
      "node:timers": entry("./testing/timers"),
      "node:timers/promises": entry("./testing/timers/promises"),
    };
    const text = JSON.stringify({ unstable: ["net"], imports: map });
    await Deno.writeTextFile(config, text);
    assertEquals(
      await forms("--config", config),
      FORMS.map((line) =>
        line.includes("taken") || line.startsWith("crypto")
          ? line
          : line.replace("real", "virtual")
      ),
    );
  } finally {
    await Deno.remove(config);
  }
});
