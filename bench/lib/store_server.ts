import { Child, denoProgram, NET, temporaryFolder } from "./child.ts";

// A server whose parent is gone ends by itself.
const IDLE = "30s";
const EVERY = "500ms";

/** The program `server.ts`, which stores what it receives. */
export interface StoreServer extends AsyncDisposable {
  pid: number;
  port: string;
  /** Resolves with the totals that it prints next: twice per second. */
  totals(): Promise<Totals>;
  /**
   * Ends it, and resolves with its totals and how long that took. Before it ends,
   * it stores the messages that wait.
   */
  end(): Promise<Totals & { seconds: number }>;
}

/** What it counted. */
export interface Totals {
  received: number;
  stored: number;
  notStored: number;
}

/** Starts it, over Deno's own UDP or with `--fast`. */
export async function startStore(by: "plain" | "fast"): Promise<StoreServer> {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await temporaryFolder());
  const path = `${folder}/messages.db`;
  const server = stack.use(
    new Child([
      ...denoProgram("../server.ts", [
        ...[NET, "--allow-ffi"],
        ...[`--allow-read=${path}`, `--allow-write=${path}`],
      ]),
      ...["127.0.0.1:0", "--store", path, "--format", "json"],
      ...["--stats-every", EVERY, "--timeout", IDLE],
      ...by === "fast" ? ["--fast"] : [],
    ], "discarded"),
  );
  const [, port = ""] = await server.logged(/^listening on .*:(\d+)$/);
  const opened = stack.move();
  const totals = async () => {
    const [line] = await server.logged(/^\{.*/);
    const { received, sinks: { store } } = JSON.parse(line);
    const { stored, notStored } = store;
    return { received, stored, notStored };
  };
  return {
    ...{ pid: server.pid, port, totals },
    async end() {
      const before = performance.now();
      server.interrupt();
      // The last line is the one after which it ends.
      let last = await totals();
      try {
        for (;;) last = await totals();
      } catch {
        return { ...last, seconds: (performance.now() - before) / 1000 };
      }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
