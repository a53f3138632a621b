/** Messages that are sent again when the stream has forgotten that it has them. */
import { assertEquals, assertMatch } from "@std/assert";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Broker } from "./support/brokers.ts";
import { ArrayLog, messages } from "./support/logs.ts";
import { testsWhere } from "./support/peers.ts";
import { until } from "../support/helpers.ts";
import { open, pause, texts } from "./support/sinks.ts";

const test = await testsWhere("command -v nats-server", "nats-server");
const LOCAL = { hostname: "127.0.0.1" } as const;

/** A way to a broker that can keep back what it answers. */
class Way implements AsyncDisposable {
  readonly #listener = Deno.listen({ ...LOCAL, port: 0 });
  readonly #connections = new Set<Deno.Conn>();
  readonly #ended: Promise<void>;
  isDeaf = false;

  constructor(to: number) {
    this.#ended = this.#run(to);
  }

  get host(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  cut(): void {
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await this.#ended;
  }

  async #run(port: number): Promise<void> {
    const running: Promise<void>[] = [];
    for await (const client of this.#listener) {
      const broker = await Deno.connect({ ...LOCAL, port });
      this.#connections.add(client).add(broker);
      running.push(
        this.#copy(client, broker, () => false),
        this.#copy(broker, client, () => this.isDeaf),
      );
    }
    await Promise.all(running);
  }

  async #copy(
    from: Deno.Conn,
    to: Deno.Conn,
    isKeptBack: () => boolean,
  ): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const size = await from.read(buffer);
        if (size === null) break;
        let at = 0;
        while (at < size && !isKeptBack()) {
          at += await to.write(buffer.subarray(at, size));
        }
      }
    } catch {
      // It was cut.
    }
  }
}

/** Waits until a stream has forgotten the IDs of all messages that it has. */
async function forgets(
  connection: NatsConnection,
  stream: string,
): Promise<void> {
  const { streams } = await jetstreamManager(connection);
  await streams.update(stream, { subjects: ["pli", "probe"] });
  const msgID = crypto.randomUUID();
  const probe = () => jetstream(connection).publish("probe", "", { msgID });
  await probe();
  while ((await probe()).duplicate) await pause(10);
}

for (
  const [what, windowMs, again] of [
    ["after the duplicate window are counted: they are there twice", 100, 50],
    ["within the duplicate window are there once", 120_000, 0],
  ] as const
) {
  test(`messages that are sent again ${what}`, async () => {
    await using broker = await Broker.start();
    await broker.addStream("PLI", "pli", windowMs);
    const setup = await connect({ servers: broker.host });
    const manager = await jetstreamManager(setup);
    await using way = new Way(broker.port);
    const log = new ArrayLog();
    await using opened = open(`nats://${way.host}/pli`, { log });
    const { sink, lines } = opened;
    const add = (from: number, to: number) => {
      log.stored.push(...messages(from, to));
      sink.write(messages(from, to));
    };
    add(1, 100);
    await sink.flush();
    way.isDeaf = true;
    add(101, 150);
    const stored = async () => {
      const { state } = await manager.streams.info("PLI");
      return state.messages;
    };
    while (await stored() < 150) await pause(10);
    assertEquals(sink.stats.waiting, 50);
    if (again > 0) await forgets(setup, "PLI");
    way.isDeaf = false;
    way.cut();
    await until(() => sink.stats.waiting === 0);
    add(151, 200);
    await sink.flush();
    const { sentAgain = 0, duplicates, published } = sink.stats;
    assertEquals([sentAgain, duplicates], [again, 50 - again]);
    assertEquals(published, 150 + again);
    const inStream = texts(
      (await broker.read("PLI")).filter(({ subject }) => subject === "pli"),
    );
    assertEquals(new Set(inStream).size, 200);
    assertEquals(inStream.length, 200 + again);
    const said = lines.filter((line) => line.includes("sent again"));
    assertEquals(said.length, again > 0 ? 1 : 0);
    if (again > 0) assertMatch(said[0]!, /window of 0\.1 s; it may have some/);
    await setup.close();
  });
}
