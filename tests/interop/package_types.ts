/** The package's types, under the options of other projects. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { inPackage, NODE, show } from "./support/runtimes.ts";
import { ENTRIES, type Folder, nodeProject } from "./support/tarball.ts";

const STRICT = {
  strict: true,
  skipLibCheck: false,
  noEmit: true,
  exactOptionalPropertyTypes: true,
  isolatedModules: true,
  noFallthroughCasesInSwitch: true,
  noImplicitOverride: true,
  noImplicitReturns: true,
  noPropertyAccessFromIndexSignature: true,
  noUncheckedIndexedAccess: true,
  noUncheckedSideEffectImports: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  allowUnreachableCode: false,
  allowUnusedLabels: false,
};

/** Options that say how a project finds packages, and what it runs on. */
const PROJECTS = {
  "Node, ESM": { module: "nodenext", target: "esnext", types: ["node"] },
  "Node, the oldest types": {
    module: "node16",
    target: "es2022",
    lib: ["es2022", "esnext.disposable"],
    types: ["node"],
  },
  "a bundler, with the types of browsers": {
    module: "esnext",
    moduleResolution: "bundler",
    target: "esnext",
    lib: ["esnext", "dom"],
    types: [],
  },
};

const MAIN = `
${ENTRIES.map((name, i) => `import * as _${i} from "${name}";`).join("\n")}
export const all = [${ENTRIES.map((_, i) => `_${i}`)}];

import { bind, connect, type Datagram, errors } from "@pli/datagram";
import { simulateNetwork } from "@pli/datagram/testing";

const carrier = simulateNetwork({ loss: 0.5 });
const socket = bind("udp://127.0.0.1:0", { carrier, maxSize: 100 });
const client = await connect(socket.addr, { carrier });
const datagram: Datagram = await client.request("x", { timeoutMs: 9 });
export const text: string = datagram.text();
// @ts-expect-error There is no such option.
bind("udp://127.0.0.1:0", { size: 1 });
export const isLate = (error: unknown) => error instanceof errors.TimedOut;
`;

/** Checks a project's source with TypeScript. */
async function check(
  { path }: Folder,
  options: Record<string, unknown>,
  file: string,
): Promise<string> {
  const compilerOptions = { ...STRICT, ...options };
  await Deno.writeTextFile(
    `${path}/tsconfig.json`,
    JSON.stringify({ compilerOptions, files: [file] }),
  );
  const { text } = await show(path, NODE, inPackage("typescript/bin/tsc"));
  return text;
}

Deno.test("the package's types pass all strict checks, without Deno's types", async () => {
  await using folder = await nodeProject(
    { "main.mts": MAIN },
    "@types/node@24.19.4",
  );
  for (const [name, options] of Object.entries(PROJECTS)) {
    console.log(`${name}: ${JSON.stringify(options)}`);
    assertEquals(await check(folder, options, "main.mts"), "");
  }
});

Deno.test("a CommonJS project has the types too, where its TypeScript knows Node 24", async () => {
  const source = `
    import { bind } from "@pli/datagram";
    export const { addr } = bind("udp://127.0.0.1:0");`;
  await using folder = await nodeProject(
    { "main.ts": source },
    "@types/node@24.19.4",
  );
  const options = { target: "es2022", types: ["node"] };
  assertEquals(
    await check(folder, { ...options, module: "nodenext" }, "main.ts"),
    "",
  );
  // It does not know that Node can `require` ESM.
  assertStringIncludes(
    await check(folder, { ...options, module: "node16" }, "main.ts"),
    "error TS1479",
  );
});
