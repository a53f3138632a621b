import { type CarrierName, CARRIERS } from "../lib/carriers.ts";
import type { Child } from "../lib/child.ts";
import { column, micros, percent, rate } from "../lib/format.ts";
import type { Column, Figures, Group, Table } from "../lib/group.ts";
import { roundTrip, throughput } from "../lib/measure.ts";
import { figure } from "../lib/results.ts";
import { TRIPS } from "./round_trip.ts";

// The larger one fits into a QUIC datagram from the start.
const SIZES = [100, 1100];

/** Sockets of this library send messages to each other over every carrier. */
export const carriers: Group = {
  name: "carriers",
  title: "Pli over each carrier",
  isOnRequest: true,
  tables: [
    table("throughput", "received", [
      column("received/s", "received", rate),
      column("sent/s", "sent", rate),
      column("arrived of what was sent", "arrived", percent),
    ]),
    table("CPU time per message", "bothMicros", [
      column("µs, both sides", "bothMicros", micros),
      column("receiver", "receiverMicros", micros),
      column("sender", "senderMicros", micros),
    ]),
    table("round trips", "p50", TRIPS),
  ],
  cases: SIZES.flatMap((size) =>
    (Object.keys(CARRIERS) as CarrierName[]).map((carrier) => ({
      ...{ size, label: CARRIERS[carrier].label, implementation: carrier },
      id: `over ${carrier}, ${size}`,
      needs: [carrier],
      async measure(start, seconds) {
        const [from, to] = [[carrier, "send"], [carrier, "receive"]] as const;
        const sent = await throughput(
          start,
          from,
          to,
          size,
          seconds,
          {},
          arrived,
        );
        return {
          ...sent,
          bothMicros: figure(sent, "receiverMicros") +
            figure(sent, "senderMicros"),
          ...await roundTrip(start, carrier, size, seconds),
        };
      },
    }))
  ),
};

function table(part: string, metric: string, columns: Column[]): Table {
  return { part, rows: "carrier", metric, columns };
}

/** Measures which share of all messages arrived in the end. */
async function arrived(sender: Child, receiver: Child): Promise<Figures> {
  const [sent, received] = await Promise.all([
    sender.next<{ total: number }>(),
    receiver.next<{ total: number }>(),
  ]);
  return { arrived: received.total / sent.total };
}
