import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";

const NAMESPACES = [["--user", "--map-root-user", "--mount"], ["--mount"]];
const SIZE = "64m";
// A folder of its own, which can be removed.
const FOLDER = "store";
/** The name of the store's file. */
export const STORE = "messages.db";

/** A message in a file of a store. */
export interface Row {
  readonly id: number;
  readonly text: string;
  readonly file: string;
}

/**
 * A disk of its own, which can be full, for the files of a store. It is a mount in
 * a namespace. If namespaces are forbidden it is a folder, and "full" limits the
 * size of the files that a process writes.
 */
export class Disk implements AsyncDisposable {
  readonly folder: string;
  /** A command that runs a program with the disk. */
  readonly under: readonly string[];
  readonly #holder: Deno.ChildProcess | undefined;
  #moves = 0;
  #copies = 0;
  // Which file a log belongs to that a server has set aside.
  readonly #fileOfOrphan = new Map<string, string>();

  private constructor(folder: string, holder?: Held) {
    this.folder = folder;
    this.#holder = holder?.child;
    this.under = holder?.under ?? ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh"];
  }

  static async create(): Promise<Disk> {
    const folder = await Deno.makeTempDir({ prefix: "pli-faults-" });
    for (const options of NAMESPACES) {
      const holder = await hold(folder, options);
      if (holder !== undefined) return await Disk.#with(folder, holder);
    }
    return await Disk.#with(folder);
  }

  static async #with(folder: string, holder?: Held): Promise<Disk> {
    const disk = new Disk(folder, holder);
    await disk.sh(`mkdir ${FOLDER}`);
    return disk;
  }

  get path(): string {
    return `${this.storeFolder}/${STORE}`;
  }

  /** The folder in which the store is, and nothing else. */
  get storeFolder(): string {
    return `${this.folder}/${FOLDER}`;
  }

  /** The path for the next copy of the store. */
  nextCopy(): string {
    return `${this.folder}/copy.${++this.#copies}`;
  }

  /** The path of the file that was moved last. */
  get moved(): string {
    return `${this.folder}/${STORE}.${this.#moves}`;
  }

  /** Runs a shell script in the disk's folder. Returns whether it succeeded. */
  async sh(script: string): Promise<boolean> {
    return (await this.#run(script)).success;
  }

  /** Moves the store's file. Returns whether there was one. */
  async move(): Promise<boolean> {
    // Those that are there now belong to the file that was moved before.
    await this.noteOrphans();
    const to = `${STORE}.${this.#moves + 1}`;
    const { path } = this;
    if (!await this.sh(`test -s ${path} && mv ${path} ${to}`)) return false;
    this.#moves++;
    return true;
  }

  /** @param pid The process for which it is full; absent if none runs. */
  async fill(pid?: number): Promise<void> {
    if (this.#holder !== undefined) await this.sh("cat /dev/zero >ballast");
    else if (pid !== undefined) {
      await this.sh(`prlimit --pid ${pid} --fsize=4096:`);
    }
  }

  async makeRoom(pid: number): Promise<void> {
    await (this.#holder === undefined
      ? this.sh(`prlimit --pid ${pid} --fsize=unlimited:`)
      : this.sh("rm -f ballast"));
  }

  /** Notes whose logs a server has set aside, and returns their names. */
  async noteOrphans(): Promise<string[]> {
    // They are another file's: whoever harms this one must not harm them.
    await this.sh(`mv ${this.path}-wal.orphan* .`);
    const { stdout } = await this.#run("ls | grep orphan");
    const before = this.#fileOfOrphan.size;
    for (const name of stdout.split("\n").filter((name) => name !== "")) {
      if (this.#fileOfOrphan.has(name)) continue;
      this.#fileOfOrphan.set(name, `${STORE}.${this.#moves}`);
    }
    return [...this.#fileOfOrphan.keys()].slice(before);
  }

  /** All messages in all files of the store, which no server uses. */
  async rows(): Promise<Row[]> {
    const folder = await Deno.makeTempDir({ prefix: "pli-faults-rows-" });
    try {
      await this.sh(`cp ${STORE}.* ${STORE}-* ${this.path}* ${folder}/`);
      for (const [log, file] of this.#fileOfOrphan) {
        await Deno.rename(`${folder}/${log}`, `${folder}/${file}-wal`);
      }
      const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
      return names.filter((name) => !/-(wal|shm)|journal/.test(name))
        .flatMap((name) => rowsOf(`${folder}/${name}`, name));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }

  /** All messages in the copies of the store. */
  async copies(): Promise<Row[]> {
    const folder = await Deno.makeTempDir({ prefix: "pli-faults-copies-" });
    try {
      await this.sh(`cp copy.* ${folder}/`);
      const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
      return names.flatMap((name) => rowsOf(`${folder}/${name}`, name));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#holder !== undefined) {
      await this.#holder.stdin.close();
      await this.#holder.status;
    }
    await Deno.remove(this.folder, { recursive: true });
  }

  async #run(script: string): Promise<{ success: boolean; stdout: string }> {
    const [command = "", ...args] = [...this.under, "sh", "-c", script];
    const { success, stdout } = await new Deno.Command(command, {
      args,
      cwd: this.folder,
      stderr: "null",
    }).output();
    return { success, stdout: new TextDecoder().decode(stdout) };
  }
}

interface Held {
  readonly child: Deno.ChildProcess;
  readonly under: readonly string[];
}

/** Starts a process that holds a mount in namespaces of its own. */
async function hold(
  folder: string,
  options: string[],
): Promise<Held | undefined> {
  const mount = `mount -t tmpfs -o size=${SIZE} none ${folder}`;
  const child = new Deno.Command("unshare", {
    args: [...options, "sh", "-c", `${mount} && echo held && exec cat`],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const { done } = await reader.read();
  if (done) {
    await child.stdin.close();
    await child.status;
    return undefined;
  }
  reader.read().then(() => {});
  const names = options.includes("--user")
    ? ["--user", "--preserve-credentials", "--mount"]
    : ["--mount"];
  const at = ["sh", "-c", 'cd "$0" && exec "$@"', folder];
  return {
    child,
    under: ["nsenter", `--target=${child.pid}`, ...names, ...at],
  };
}

function rowsOf(path: string, file: string): Row[] {
  if (Deno.statSync(path).size === 0) return [];
  try {
    using db = new DatabaseSync(path);
    const [check] = db.prepare("PRAGMA integrity_check").all();
    assertEquals(check?.["integrity_check"], "ok");
    // One that was moved while it was created.
    const [table] = db.prepare("SELECT 1 FROM sqlite_master").all();
    if (table === undefined) return [];
    return db.prepare("SELECT id, CAST(data AS TEXT) AS text FROM messages")
      .all().map(({ id, text }) => ({ id: Number(id), text: `${text}`, file }));
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}`, { cause });
  }
}
