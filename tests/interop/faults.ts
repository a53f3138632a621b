/** A server that publishes and that faults strike, from seeds. */
import { campaign } from "../process/support/faults/campaign.ts";
import { BROKER_FAULTS } from "../process/support/faults/faults.ts";
import { testSeeds } from "../process/support/faults/seeds.ts";
import { Broker } from "./support/brokers.ts";
import { testsWhere } from "./support/peers.ts";
import { texts } from "./support/sinks.ts";

// How long a stream knows an ID whose broker is often away for longer.
const WINDOW_MS = 300;

// Each run has a limit of its own.
const test = await testsWhere(
  "command -v nats-server",
  "nats-server",
  3_600_000,
);

testSeeds(
  "server that publishes has books that balance, whatever strikes it or its broker",
  10,
  async (seed) => {
    await using nats = await Broker.start();
    const forgets = seed % 3 === 0;
    if (forgets) await nats.addStream("PLI_ALL", "pli.all", WINDOW_MS);
    let isRunning = true;
    return await campaign(seed, BROKER_FAULTS, {
      url: `nats://${nats.host}/pli.all`,
      forgets,
      async start() {
        if (!isRunning) await nats.start();
        isRunning = true;
      },
      async kill() {
        await nats.kill();
        isRunning = false;
      },
      signal(signal) {
        if (isRunning) nats.signal(signal);
      },
      texts: async () => texts(await nats.read("PLI_ALL")),
    });
  },
  test,
);
