import type { ImplementationName } from "./implementations.ts";

/** What is varied. */
export type Axis = "rate" | "peers" | "size";

/** One point: the rate (0 is as fast as the sender can), the peers, the size. */
export type Point = Readonly<Record<Axis, number>>;

/** What each axis shows, and its values. */
export const AXES: Readonly<
  Record<Axis, { title: string; values: readonly number[] }>
> = {
  rate: {
    title: "datagrams per second",
    values: [1000, 3000, 10_000, 30_000, 100_000, 0],
  },
  peers: {
    title: "peers in turn, as fast as the sender can",
    values: [1, 10, 100, 1000, 10_000, 100_000],
  },
  size: {
    title: "bytes per datagram, as fast as the sender can",
    values: [1, 10, 100, 1000, 10_000, 65_000],
  },
};

/** A line of the charts. */
export type Series =
  | "receive"
  | "batches"
  | "runs"
  | "send"
  | "sendMany"
  | "sendRun"
  | "store"
  | "fast";

interface Shown {
  label: string;
  implementation: ImplementationName & ("pli" | "offload");
  work: "receive" | "send" | "store";
  /** Whether the datagrams are in runs on both sides. */
  inRuns?: boolean;
}

/** What each line is about. Those of one work have one color. */
export const SERIES: Readonly<Record<Series, Shown>> = {
  receive: {
    ...{ label: "receive, for await", implementation: "pli" },
    work: "receive",
  },
  batches: {
    ...{ label: "receive, offload, batches", implementation: "offload" },
    work: "receive",
  },
  runs: {
    ...{ label: "receive, offload, runs", implementation: "offload" },
    ...{ work: "receive", inRuns: true },
  },
  send: { label: "sendMany", implementation: "pli", work: "send" },
  sendMany: {
    ...{ label: "sendMany, offload", implementation: "offload" },
    work: "send",
  },
  sendRun: {
    ...{ label: "sendRun, offload", implementation: "offload" },
    ...{ work: "send", inRuns: true },
  },
  store: { label: "server --store", implementation: "pli", work: "store" },
  fast: {
    ...{ label: "server --store --fast", implementation: "offload" },
    work: "store",
  },
};

// Where the other axes are while one is varied.
const REST: Point = { rate: 0, peers: 1, size: 100 };

/** Returns a point of an axis. */
export function pointOn(axis: Axis, value: number): Point {
  return { ...REST, [axis]: value };
}

/** Returns all points, each once. */
export function allPoints(): Point[] {
  const all = (Object.keys(AXES) as Axis[]).flatMap((axis) =>
    AXES[axis].values.map((value) => pointOn(axis, value))
  );
  return [...new Map(all.map((point) => [labelOf(point), point])).values()];
}

/** Describes a point. */
export function labelOf({ rate, peers, size }: Point): string {
  const of = (n: number, what: string) => `${n.toLocaleString("en")} ${what}`;
  return [
    rate === 0 ? "at the limit" : of(rate, "/s"),
    of(peers, peers === 1 ? "peer" : "peers"),
    of(size, "B"),
  ].join(", ");
}

/** Returns the id of a measurement. */
export function idOf(series: Series, point: Point): string {
  return `curve ${series}, ${labelOf(point)}`;
}
