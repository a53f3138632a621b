// StatsD: a client counts and measures, and a collector adds up what arrives.
import { bind } from "@pli/datagram";

const ADDRESS = "udp://127.0.0.1:8125";
const LINE = /^(requests:1\|c|latency:\d+\|ms|users:\d+\|g)$/;

/** Runs a client and a collector, which uses this library. */
export async function program({ network, real, complain }) {
  const { default: StatsD } = await real(() => import("hot-shots"));
  const collector = bind(ADDRESS, { carrier: network });
  let datagrams = 0;
  let count = 0;
  const collected = (async () => {
    for await (const datagram of collector) {
      datagrams++;
      for (const line of datagram.text().trim().split("\n")) {
        if (line === "requests:1|c") count++;
        if (!LINE.test(line)) complain("a line is not what was sent");
      }
    }
  })();
  const client = new StatsD({
    host: "127.0.0.1",
    maxBufferSize: 200,
    bufferFlushInterval: 100,
    errorHandler: ({ message }) => complain(message),
  });
  for (let n = 0; n < 200; n++) {
    client.increment("requests");
    client.timing("latency", n);
    client.gauge("users", n);
    if (n % 10 === 9) await new Promise((wake) => setTimeout(wake, 50));
  }
  const error = await new Promise((done) => client.close(done));
  if (error) complain(error.message);
  await new Promise((wake) => setTimeout(wake, 1000));
  await collector.close();
  await collected;
  // Whatever the network made of them, each datagram is whole.
  const { delivered } = network.stats;
  if (datagrams !== delivered) complain("a datagram was not collected");
  const arrived = network.trace.filter(({ fate }) => fate === "delivered")
    .map(({ data }) => new TextDecoder().decode(data).match(/requests/g) ?? []);
  if (count !== arrived.flat().length) complain("the sum is wrong");
}
