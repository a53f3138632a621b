/** The npm package, and empty folders that install it. */
import config from "../../../deno.json" with { type: "json" };
import { npmInstall, run } from "./runtimes.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** The entries of the package, as a program imports them. */
export const ENTRIES = Object.keys(config.exports)
  .map((path) => path.replace(".", config.name));

/** What npm lists of the package: the output of `npm pack`. */
export const LISTING: string = await packageOfRun();

/** The path of the tarball. */
export const TARBALL = `${ROOT}tmp/pack/pli-datagram-${config.version}.tgz`;

/** Makes the package, once in a run: its files share a process. */
async function packageOfRun(): Promise<string> {
  const path = `${ROOT}tmp/pack-listing.txt`;
  const run = `${Deno.pid}\n`;
  const there = await Deno.readTextFile(path).catch(() => "");
  if (there.startsWith(run)) return there.slice(run.length);
  const listing = await makePackage();
  await Deno.writeTextFile(path, run + listing);
  return listing;
}

async function makePackage(): Promise<string> {
  const { code, text } = await run(ROOT, Deno.execPath(), "task", "pack");
  if (code !== 0) throw new Error(text);
  return text;
}

/** What its package.json says. */
export interface Fields {
  name: string;
  version: string;
  license: string;
  type: string;
  engines: Record<string, string>;
  scripts?: Record<string, string>;
  exports: Record<string, Record<string, string>>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional: boolean }>;
}

/** Reads its package.json. */
export async function fields(): Promise<Fields> {
  const args = ["-xzOf", TARBALL, "package/package.json"];
  return JSON.parse((await run(ROOT, "tar", ...args)).text);
}

/** A folder with files in it, which is removed in the end. */
export class Folder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes a folder that has these files. */
  static async with(files: Record<string, string>): Promise<Folder> {
    // Paths have blanks, and letters that are not ASCII.
    const path = await Deno.makeTempDir({ prefix: "reçu à " });
    const folder = new Folder(path);
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${path}/${name}`, text);
    }
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

/** Makes a project for Node and Bun that has installed the package, and others. */
export async function nodeProject(
  files: Record<string, string>,
  ...packages: string[]
): Promise<Folder> {
  const folder = await Folder.with({ "package.json": "{}", ...files });
  await npmInstall(folder.path, TARBALL, ...packages);
  return folder;
}

/** Makes a project for Deno that has unpacked the package, as the pages say. */
export async function denoProject(
  files: Record<string, string>,
): Promise<Folder> {
  const { peerDependencies } = await fields();
  const others = Object.entries(peerDependencies).map(([name, version]) =>
    [name, `npm:${name}@${version}`] as const
  );
  const page = await Deno.readTextFile(`${ROOT}docs/compatibility.md`);
  const [, block = ""] = /^```json\n([^]*?)^```/m.exec(page) ?? [];
  const shown = JSON.parse(block);
  const imports = { ...shown.imports, ...Object.fromEntries(others) };
  const folder = await Folder.with({
    "deno.json": JSON.stringify({ ...shown, imports }),
    ...files,
  });
  await run(folder.path, "tar", "-xzf", TARBALL);
  return folder;
}

/** The versions of the packages that only some entries need. */
export async function peers(): Promise<string[]> {
  const { peerDependencies } = await fields();
  return Object.entries(peerDependencies)
    .map(([name, version]) => `${name}@${version}`);
}
