// What the recipes beside this file share as programs.

import { once } from "node:events";
import process from "node:process";
import { bind, type CarrierSource, formatAddress } from "@pli/datagram";
import { collect, type Message } from "@pli/datagram/collect";

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
  const stats = { taken: 0, malformed: 0 };
  const write = (messages: readonly Message[]) => {
    for (const message of messages) {
      try {
        take(message);
        stats.taken++;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        stats.malformed++;
      }
    }
  };
  const done = () => Promise.resolve();
  const sink = { name: "recipe", write, flush: done, close: done, stats };
  await using socket = bind(address, { carrier });
  const collector = collect(socket, { sinks: [sink] });
  const interrupted = once(process, "SIGINT");
  console.error("listening on", formatAddress(socket.addr));
  await Promise.race([interrupted, collector.finished]);
  await collector.stop({ drain: true });
  const { received, dropped, kernelDrops } = await collector.stats();
  const lost = Object.values(dropped).reduce((sum, n) => sum + n, 0);
  const system = kernelDrops ?? "unknown (UDP: --allow-run=cat)";
  console.error(`received ${received}, malformed ${stats.malformed}`);
  console.error(`dropped ${lost}, by the system ${system}`);
}
