import {
  accounted,
  checkCopies,
  checkFiles,
  checkStream,
  checkTotals,
  type Life,
} from "./books.ts";
import type { Chance } from "./chance.ts";
import { Disk } from "./disk.ts";
import { pickSetup, type Setup } from "./setup.ts";
import { Load } from "./load.ts";
import { type Ended, Subject, type Totals } from "./subject.ts";

// How long a server may take to count what was sent to it.
const SETTLE_MS = 60_000;
// A broker that hangs is noticed within 15 seconds.
const PUBLISHED_MS = 100_000;
// How long a connection to the page may take.
const CONNECT_MS = 300;

/** Where a server publishes: it can be killed, and started again. */
export interface Broker {
  readonly url: string;
  /** Whether it forgets, while it is away, which messages its stream has. */
  readonly forgets: boolean;
  /** Starts it, unless it runs. */
  start(): Promise<void>;
  kill(): Promise<void>;
  signal(signal: Deno.Signal): void;
  /** The messages in its stream. */
  texts(): Promise<string[]>;
}

/** A server with its disk and its load, which is started again and again. */
export class World implements AsyncDisposable {
  readonly disk: Disk;
  readonly broker: Broker | undefined;
  readonly chance: Chance;
  readonly setup: Setup;
  readonly endMs: number;
  /** What was done. */
  readonly log: string[] = [];
  readonly lives: Life[] = [];
  readonly #name: string;
  readonly #port = freePort("udp");
  readonly #pagePort = freePort("tcp");
  readonly #resources = new AsyncDisposableStack();
  readonly #startedAt = performance.now();
  readonly #connections: Deno.Conn[] = [];
  #redirection = "";
  #subject: Subject | undefined;

  private constructor(
    name: string,
    chance: Chance,
    disk: Disk,
    broker: Broker | undefined,
  ) {
    this.broker = broker;
    this.#name = name;
    this.chance = chance;
    this.disk = this.#resources.use(disk);
    this.setup = pickSetup(chance, broker !== undefined);
    this.endMs = chance.pick([500, 1000, 2000]);
  }

  /** @param broker Where the server publishes, if it does. */
  static async open(
    name: string,
    chance: Chance,
    broker?: Broker,
  ): Promise<World> {
    return new World(name, chance, await Disk.create(), broker);
  }

  get subject(): Subject {
    return this.#subject!;
  }

  get life(): Life {
    return this.lives.at(-1)!;
  }

  note(line: string): void {
    const ms = Math.round(performance.now() - this.#startedAt);
    this.log.push(`${`${ms}`.padStart(6)} ms  ${line}`);
  }

  /** Whether its totals can be read. */
  get isHeard(): boolean {
    return this.#redirection === "" && !this.subject.stderr.isClosed;
  }

  /** Notes the lines on standard error, but its numbers. */
  noteSaid(): void {
    const lines = this.subject.stderr.text.trimEnd().split("\n");
    const said = lines.filter((line) => !line.startsWith("{"));
    const { totals } = this.subject;
    for (const line of said) this.log.push(`           | ${line}`);
    if (totals !== undefined) this.log.push(JSON.stringify(totals));
  }

  /**
   * Starts a server, and waits until it is ready.
   *
   * @param redirection Where standard error goes, for a shell.
   * @param isDiskFull Whether its disk is full from the start.
   */
  async start(redirection = "", isDiskFull = false): Promise<void> {
    if (isDiskFull && redirection !== "2>>log") {
      this.note("the disk is full");
      await this.disk.fill();
    }
    this.begin(redirection);
    await this.subject.ready();
    const orphans = await this.disk.noteOrphans();
    this.note(
      `it is ready${orphans.length > 0 ? `, set aside: ${orphans}` : ""}`,
    );
  }

  /** Starts a server. */
  begin(redirection = ""): void {
    const { disk, endMs, chance, setup } = this;
    const { hasStore, hasPage, keepRows } = setup;
    const flags = chance.pick([["-A"], [
      "--allow-net=127.0.0.1",
      ...["read", "write"].map((name) => `--allow-${name}=${disk.folder}`),
      "--allow-run=cat",
    ]]);
    const args = [
      ...hasStore ? ["--store", disk.path, "--receipt"] : [],
      ...keepRows === undefined ? [] : ["--keep", `${keepRows}`],
      ...["--end-timeout", `${endMs}ms`],
      ...["--format", "json", "--stats-every", "100ms"],
      ...this.broker === undefined ? [] : ["--publish", this.broker.url],
    ];
    this.note(`server ${args.join(" ")} ${redirection}`);
    this.#redirection = redirection;
    const port = this.#port;
    const pagePort = hasPage ? this.#pagePort : undefined;
    this.#subject = this.#resources.use(
      new Subject({ disk, port, pagePort, args, flags, redirection }),
    );
    const name = `${this.#name}.${this.lives.length + 1}`;
    this.lives.push({ load: this.#resources.use(new Load(name, port)) });
  }

  readonly pause = async (ms: number): Promise<void> => {
    await new Promise((go) => setTimeout(go, ms));
  };

  /**
   * Harms the store's file, and waits until it is whole again. Only then a crash
   * loses nothing.
   */
  readonly harm = async (script: string): Promise<void> => {
    const { disk, subject } = this;
    await disk.makeRoom(subject.pid);
    // It may not have opened the file so far.
    await this.#stores();
    await disk.sh(script);
    await this.#stores();
    const { gone = 0 } = (await subject.stats())?.sinks["store"] ?? {};
    this.note(`it stores again, ${gone} gone`);
    this.life.gone = gone;
  };

  /** Waits until a message that was sent after the call has its receipt. */
  async #stores(): Promise<void> {
    const { load } = this.life;
    load.mark();
    const until = performance.now() + SETTLE_MS;
    while (load.receiptsSinceMark === 0) {
      if (performance.now() > until) throw new Error("there are no receipts");
      await this.pause(20);
    }
  }

  /** Opens connections to the page that say this and read nothing. */
  async connect(count: number, text: string): Promise<void> {
    const port = this.#pagePort;
    const head = text.replace("LOCAL", `127.0.0.1:${port}`);
    for (let n = 0; n < count; n++) {
      try {
        const connection = await Deno.connect({
          hostname: "127.0.0.1",
          port,
          // A page that accepts nobody has them wait.
          signal: AbortSignal.timeout(CONNECT_MS),
        });
        this.#connections.push(connection);
        await connection.write(new TextEncoder().encode(head));
      } catch {
        // The page may refuse it, and those after it.
        return;
      }
    }
  }

  disconnect(): void {
    for (const connection of this.#connections.splice(0)) connection.close();
  }

  /** Undoes what harms the next server as well. */
  async tidy(): Promise<void> {
    this.disconnect();
    await this.disk.makeRoom(this.subject.pid);
  }

  /** Waits until the server has counted all that was sent to it. */
  async settle(): Promise<void> {
    const { life } = this;
    const { load } = life;
    const until = performance.now() + SETTLE_MS;
    for (;;) {
      const stats = await this.subject.stats();
      if (stats !== undefined) life.atLeast = stats;
      if (stats !== undefined && accounted(stats) === load.sent) break;
      if (performance.now() > until) {
        throw new Error(`${load.sent} sent, but: ${JSON.stringify(stats)}`);
      }
      await this.pause(20);
    }
    this.note("it has counted all");
  }

  /** Waits until the store has all that the server has counted. */
  async stored(): Promise<void> {
    if (this.setup.hasStore) await this.#handedOn("store", SETTLE_MS);
  }

  /** Waits until the broker has all that is stored. */
  async published(): Promise<void> {
    await this.#handedOn("nats", PUBLISHED_MS);
    this.note("it has published all");
  }

  async #handedOn(sink: string, ms: number): Promise<void> {
    const until = performance.now() + ms;
    for (;;) {
      const stats = await this.subject.stats();
      if (stats?.sinks[sink]?.["waiting"] === 0) break;
      if (performance.now() > until) {
        throw new Error(`${sink}: messages wait: ${JSON.stringify(stats)}`);
      }
      await this.pause(50);
    }
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    const { subject, life } = this;
    subject.kill("SIGKILL");
    this.note(`kill -9, ${life.load.sent} sent`);
    await life.load.stop();
    await subject.ended(SETTLE_MS);
    this.noteSaid();
    const { totals } = subject;
    if (totals !== undefined) life.atLeast = totals;
  }

  /** Waits for its end after a signal, and takes its totals. */
  async end(ms: number): Promise<Ended> {
    const { subject, life } = this;
    const from = performance.now();
    const ended = await subject.ended(ms);
    await life.load.stop();
    const took = Math.round(performance.now() - from);
    life.isHurried ||= took > this.endMs / 2;
    this.note(`it ended after ${took} ms: ${JSON.stringify(ended)}`);
    this.noteSaid();
    const totals: Totals | undefined = subject.totals;
    if (totals === undefined) return ended;
    if (!this.isHeard) return ended;
    life.totals = totals;
    if (!subject.stdout.isClosed) life.printed = subject.stdout.text;
    checkTotals(life);
    return ended;
  }

  /** Checks the files. */
  async check(): Promise<void> {
    if (!this.setup.hasStore) return;
    const rows = await this.disk.rows();
    this.note(`${rows.length} rows`);
    checkFiles(this.lives, rows, this.setup.keepRows);
    checkCopies(this.lives, await this.disk.copies());
    if (this.broker === undefined) return;
    const { forgets } = this.broker;
    checkStream(this.lives, rows, await this.broker.texts(), forgets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disconnect();
    await this.#resources[Symbol.asyncDispose]();
  }
}

/** A port that nobody uses, also not after a restart: the system assigns no such. */
function freePort(transport: "udp" | "tcp"): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const address = { hostname: "127.0.0.1", port };
    try {
      const listener = transport === "tcp"
        ? Deno.listen(address)
        : Deno.listenDatagram({ ...address, transport });
      listener.close();
      return port;
    } catch {
      // Somebody uses it.
    }
  }
}
