import type { Event, Note } from "../ledger.ts";

/** What each row has. */
interface Moment {
  readonly time: number;
  readonly order: number;
}

/** A row that is about one or both ends of what a datagram did. */
export interface DatagramRow extends Moment {
  readonly event: Event;
  /** Which end it is; both if nothing happened in between. */
  readonly part: "both" | "start" | "end";
  /** Marks the two rows of one datagram. */
  readonly mark?: number;
}

/** A row of a diagram. */
export type Row = DatagramRow | Moment & { readonly note: string };

/**
 * Returns the rows of a diagram in their order. A datagram has one row if nothing
 * happened between its ends, and two otherwise.
 */
export function rowsOf(
  events: readonly Event[],
  notes: readonly Note[],
): Row[] {
  const times = timesOf(events, notes);
  const rows: Row[] = notes.map(({ time, order, text }) => ({
    time,
    order,
    note: text,
  }));
  const delayed: Event[] = [];
  for (const event of events) {
    const { time, sent, fate } = event.entry;
    const { sentOrder: order } = event;
    if (fate !== "inFlight" && hasBetween(times, sent, time)) {
      delayed.push(event);
    } else rows.push({ time: sent, order, event, part: "both" });
  }
  delayed.sort((a, b) => a.sentOrder - b.sentOrder);
  for (const [index, event] of delayed.entries()) {
    const { entry: { sent, time }, sentOrder, order } = event;
    const mark = index + 1;
    rows.push({ time: sent, order: sentOrder, event, part: "start", mark });
    rows.push({ time, order, event, part: "end", mark });
  }
  return rows.sort((a, b) => a.time - b.time || a.order - b.order);
}

/** Returns the times at which something happened, sorted. */
function timesOf(
  events: readonly Event[],
  notes: readonly Note[],
): Float64Array {
  const times = events.flatMap(({ entry: { sent, time, fate } }) =>
    fate === "inFlight" ? [sent] : [sent, time]
  );
  return Float64Array.from([...times, ...notes.map(({ time }) => time)]).sort();
}

/** Whether there is a time between two others. */
function hasBetween(times: Float64Array, from: number, to: number): boolean {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! > from) high = middle;
    else low = middle + 1;
  }
  return low < times.length && times[low]! < to;
}
