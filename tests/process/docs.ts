/** What the pages name is there, and what they show is run. */
import { assert, assertEquals } from "@std/assert";

const SCRIPTS = [".ci/run", ".ci/readme_commands"];
// What git ignores: it is there only after a program has run.
const GENERATED = ["node_modules", "coverage", "tmp", "screenshots", ".git"];

const files = await filesIn("");
const pages = new Map<string, string>();
for (const path of files.filter((path) => path.endsWith(".md"))) {
  pages.set(path, await Deno.readTextFile(path));
}

/** Every file of the project in a folder (`""` or `docs/`) and below it. */
async function filesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`./${folder}`)) {
    if (folder === "" && GENERATED.includes(name)) continue;
    const path = folder + name;
    if (isDirectory) found.push(...await filesIn(`${path}/`));
    else found.push(path);
  }
  return found;
}

/** The contents of a page's code blocks in that language. */
function blocksIn(page: string, language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "gm");
  return Array.from(
    pages.get(page)!.matchAll(pattern),
    ([, block = ""]) => block,
  );
}

/** What a page has in backticks, and the words of its pictures. */
function namesIn(page: string): string[] {
  const prose = pages.get(page)!.replace(/^```[^]*?^```/gm, "");
  const spans = Array.from(
    prose.matchAll(/`([^`]+)`/g),
    ([, span = ""]) => span,
  );
  return [...spans, ...blocksIn(page, "text")].flatMap((text) =>
    text.split(/[\s,;()]+/)
  );
}

/** The lines of a page's blocks of shell commands, without comments. */
function commandsIn(page: string): string[] {
  return blocksIn(page, "sh")
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/\s+#.*$/, "").trim())
    .map((line) => line.replace("npx -y deno@2.9.6", "deno"))
    .filter((line) => line !== "");
}

const folders = new Set(
  files.flatMap((path) => {
    const names = path.split("/").slice(0, -1);
    return names.map((_, i) => `${names.slice(0, i + 1).join("/")}/`);
  }),
);
const EXTENSION = /\.(ts|js|mjs|c|h|css|html|md|svg|json|jsonc|lock|yml)$/;

/** Whether a word is the path of a file or a folder of this project. */
function isPath(word: string): boolean {
  if (!/^[\w.*][\w.*/-]*$/.test(word)) return false;
  const [top = "", ...rest] = word.split("/");
  if (GENERATED.includes(top)) return false;
  return EXTENSION.test(word) || word.endsWith("/") ||
    rest.length > 0 && folders.has(`${top}/`);
}

/** Whether there is such a file or folder, here or, named in part, below. */
function exists(path: string): boolean {
  const escaped = path.replace(/DATE|NAME/, "*").replaceAll(".", "\\.")
    .replaceAll("*", "[^/]*");
  const pattern = new RegExp(`(^|/)${escaped}/?$`);
  return files.some((file) => pattern.test(file)) ||
    [...folders].some((folder) => pattern.test(folder));
}

/** The anchors that GitHub makes of a page's headings. */
function anchorsIn(page: string): string[] {
  const prose = pages.get(page)!.replace(/^```[^]*?^```/gm, "");
  return Array.from(
    prose.matchAll(/^#+ (.+)$/gm),
    ([, heading = ""]) =>
      heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
  );
}

Deno.test("a code block that cannot run by itself is a test, an example, or run by the guide's", async () => {
  const guide = await Deno.readTextFile("tests/interop/guide.ts");
  const sources = await Promise.all(
    files.filter((path) => /^(tests\/.*_test|examples\/.*)\.ts$/.test(path))
      .map((path) => Deno.readTextFile(path)),
  );
  for (const page of pages.keys()) {
    for (const block of blocksIn(page, "ts ignore")) {
      // Those that begin with a file's name are put into a project, and run.
      const [, name] = /^\/\/ (\S+\.ts)\n/.exec(block) ?? [];
      if (name !== undefined && guide.includes(`file("${name}")`)) continue;
      assert(sources.some((source) => source.includes(block)), block);
    }
  }
});

for (const page of pages.keys()) {
  Deno.test(`each command in ${page} is one that .ci/run runs`, async () => {
    const texts = await Promise.all(
      SCRIPTS.map((path) => Deno.readTextFile(path)),
    );
    const scripts = texts.join("\n").replace(/^ *#.*$/gm, "")
      .replaceAll("npx -y deno@2.9.6", "deno");
    const missing = commandsIn(page).filter((command) =>
      !scripts.includes(command)
    );
    assertEquals(missing, []);
  });

  Deno.test(`each file and heading that ${page} links to is there`, () => {
    const missing: string[] = [];
    const text = pages.get(page)!;
    for (const [, link = ""] of text.matchAll(/\]\((?!\w+:)([^)]+)\)/g)) {
      const [path = "", anchor] = link.split("#");
      const base = new URL(page, "file:///");
      const target = path === "" ? page : new URL(path, base).pathname.slice(1);
      if (!files.includes(target) && !folders.has(`${target}/`)) {
        missing.push(link);
      } else if (anchor !== undefined && !anchorsIn(target).includes(anchor)) {
        missing.push(link);
      }
    }
    assertEquals(missing, []);
  });

  Deno.test(`each path that ${page} names is there`, () => {
    const missing = namesIn(page).filter((name) =>
      isPath(name) && !exists(name)
    );
    assertEquals(missing, []);
  });
}

Deno.test("README's deno.json is enough for a program elsewhere, types included", async () => {
  const [config = ""] = blocksIn("README.md", "json");
  const root = new URL("../../", import.meta.url).pathname.slice(0, -1);
  assert(config.includes('"../pli"'));
  const { exports } = JSON.parse(await Deno.readTextFile("deno.json"));
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/deno.json`,
      config.replace("../pli", root),
    );
    const names = Object.keys(exports)
      .map((path) => path.replace(".", "@pli/datagram"));
    const lines = names.map((name, i) => `import * as _${i} from "${name}";`);
    await Deno.writeTextFile(
      `${folder}/main.ts`,
      `${lines.join("\n")}
      await using socket = _0.bind("udp://127.0.0.1:0");
      console.log(socket.addr.hostname);`,
    );
    const { success, stdout, stderr } = await new Deno.Command(
      Deno.execPath(),
      {
        args: ["run", "--check", "--quiet", "--allow-net", "main.ts"],
        cwd: folder,
        env: { NO_COLOR: "1" },
      },
    ).output();
    const decoder = new TextDecoder();
    assert(success, decoder.decode(stderr));
    assertEquals(decoder.decode(stdout), "127.0.0.1\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("README's figures of speed are measured: they stand in docs/performance.md", () => {
  const section = pages.get("README.md")!.replace(/\s+/g, " ")
    .match(/On two cores over loopback.*?Node, Bun/)![0];
  const figures = Array.from(
    section.matchAll(/\d[\d,]*[,.]\d{3}/g),
    ([text]) => text,
  );
  assertEquals(figures.length, 3, section);
  for (const figure of figures) {
    assert(pages.get("docs/performance.md")!.includes(figure), figure);
  }
});

Deno.test("the pages are read, with their commands, links and paths", () => {
  const all = [...pages.keys()];
  assert(all.includes("README.md") && all.includes("docs/testing.md"));
  assert(all.flatMap(commandsIn).length > 30);
  assert(all.flatMap(namesIn).filter(isPath).length > 20);
  assert(!exists("lib/socket/no_such_file.ts"));
});
