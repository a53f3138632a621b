// What the recipes beside this file share as programs.

import { once } from "node:events";
import process from "node:process";
import { bind, type CarrierSource, formatAddress } from "@pli/datagram";
import { collect, type Message, type Sink } from "@pli/datagram/collect";

/**
 * Runs a program with its arguments. If one that the usage names without
 * brackets is missing, it prints the usage; an error is one line too.
 */
export async function program(
  usage: string,
  main: (...args: string[]) => Promise<void>,
): Promise<void> {
  const [, ...wanted] = usage.split(" ").filter((word) => !/^\[/.test(word));
  try {
    if (Deno.args.length < wanted.length) throw new Error(`Usage: ${usage}`);
    await main(...Deno.args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exitCode = 1;
  }
}

/**
 * Collects at an address until Ctrl-C, then prints what was received and lost.
 * `take` throws a RangeError for a message that is malformed.
 */
export async function collectAt(
  address: string,
  take: (message: Message) => void,
  carrier?: CarrierSource,
): Promise<void> {
  const counts = { taken: 0, malformed: 0 };
  const sink: Sink = {
    name: "recipe",
    write: (messages) => {
      for (const message of messages) {
        try {
          take(message);
          counts.taken++;
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          counts.malformed++;
        }
      }
    },
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
    stats: counts,
  };
  await using socket = bind(address, { carrier });
  const collector = collect(socket, { sinks: [sink] });
  const interrupted = once(process, "SIGINT");
  console.error("listening on", formatAddress(socket.addr));
  await Promise.race([interrupted, collector.finished]);
  await collector.stop({ drain: true });
  const { received, dropped, kernelDrops } = await collector.stats();
  const lost = Object.values(dropped).reduce((sum, n) => sum + n, 0);
  const inSystem = kernelDrops ?? "unknown (--allow-run=cat)";
  console.error(`${received} received, ${counts.malformed} malformed`);
  console.error(`dropped: ${lost} here, by the system ${inSystem}`);
}
