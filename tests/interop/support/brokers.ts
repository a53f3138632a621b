/** Runs nats-server, and reads its streams. */
import {
  DeliverPolicy,
  jetstream,
  jetstreamManager,
  StorageType,
} from "@nats-io/jetstream";
import { connect, type ConnectionOptions } from "@nats-io/transport-node";

/** Options of a broker. */
export interface BrokerOptions {
  /** Whether it has streams. @default {true} */
  jetstream?: boolean;
  /** The text of its configuration file. */
  config?: string;
  args?: string[];
}

/** A message in a stream. */
export interface Stored {
  readonly data: Uint8Array;
  readonly header: (name: string) => string;
  readonly subject: string;
}

/** A broker with a folder and a port of its own; it can be killed and started. */
export class Broker implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #options: BrokerOptions;
  #child: Deno.ChildProcess | undefined;

  /** Creates a broker that is not started yet. */
  constructor(options: BrokerOptions = {}) {
    this.#options = options;
    this.#folder = Deno.makeTempDirSync({ prefix: "pli-nats-" });
    // It must be the same after a restart, so the broker cannot choose it.
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = listener.addr.port;
  }

  /** Starts a broker. Resolves when it accepts connections. */
  static async start(options?: BrokerOptions): Promise<Broker> {
    const broker = new Broker(options);
    await broker.start();
    return broker;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts it, with the same folder and port each time. */
  async start(): Promise<void> {
    const { jetstream = true, config, args = [] } = this.#options;
    const all = ["-a", "127.0.0.1", "-p", `${this.port}`, ...args];
    if (jetstream) all.push("-js", "-sd", this.#folder);
    if (config !== undefined) {
      const path = `${this.#folder}/nats.conf`;
      await Deno.writeTextFile(path, config);
      all.push("-c", path);
    }
    this.#child = new Deno.Command("nats-server", {
      args: all,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const [log, rest] = this.#child.stderr.tee();
    rest.pipeTo(new WritableStream()).catch(() => {});
    let text = "";
    for await (const chunk of log.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes("Server is ready")) return;
    }
    throw new Error(`nats-server ended: ${text}`);
  }

  signal(signal: Deno.Signal): void {
    this.#child?.kill(signal);
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    try {
      this.#child?.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#child?.status;
    this.#child = undefined;
  }

  /** Creates a stream that knows the ID of a message for so long. */
  async addStream(
    name: string,
    subject: string,
    windowMs: number,
  ): Promise<void> {
    const connection = await connect({ servers: this.host });
    const manager = await jetstreamManager(connection);
    await manager.streams.add({
      name,
      subjects: [subject],
      storage: StorageType.File,
      duplicate_window: windowMs * 1e6,
    });
    await connection.close();
  }

  /** Reads a stream from its first message to its last. */
  async read(
    stream: string,
    options: ConnectionOptions = {},
  ): Promise<Stored[]> {
    const connection = await connect({ servers: this.host, ...options });
    try {
      const consumer = await jetstream(connection).consumers.get(stream, {
        deliver_policy: DeliverPolicy.All,
      });
      let { num_pending: left } = await consumer.info();
      const stored: Stored[] = [];
      while (left > 0) {
        const batch = await consumer.fetch({
          max_messages: Math.min(left, 1000),
        });
        for await (const message of batch) {
          const header = (name: string) => message.headers?.get(name) ?? "";
          stored.push({ data: message.data, header, subject: message.subject });
          left--;
        }
      }
      return stored;
    } finally {
      await connection.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
