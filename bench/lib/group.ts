import type { Child } from "./child.ts";
import type { ImplementationName } from "./implementations.ts";

/** What one measurement gave, by metric. */
export type Figures = Record<string, number>;

/** Starts the program of an implementation. */
export type Start = (
  name: ImplementationName,
  ...args: (string | number)[]
) => Child;

/** A row of a table. */
export interface Row {
  /** The name of its group. */
  group: string;
  /** Bytes per datagram. @default {there are no datagrams} */
  size?: number | undefined;
  label: string;
  /** Identifies its measurement, which rows of several tables may share. */
  id: string;
}

/** A row, and how to measure it. */
export interface Case extends Omit<Row, "group"> {
  /** The implementation that the row is about. */
  implementation: ImplementationName;
  /** All implementations that take part. */
  needs: readonly ImplementationName[];
  measure(start: Start, seconds: number): Promise<Figures>;
}

/** A column: its head, and how it shows the medians of a row. */
export type Column = [head: string, cell: (medians: Figures) => string];

/** A table of a group. There is one for each size. */
export interface Table {
  /** Its part of the group, for its title. @default {the group has one table} */
  part?: string;
  /** The head of the first column, which has the labels. */
  rows: string;
  /** The metric whose ratio to the first row stands in the second column. */
  metric: string;
  columns: Column[];
}

/** A ratio of two measurements, or a figure of one, and what it should be. */
export interface Target {
  what: string;
  metric: string;
  /** The id of a measurement. */
  subject: string;
  /** The id of the one to compare it with. @default {none: the figure counts} */
  base?: string;
  /** Whether the metric is a ratio by itself. @default {false} */
  isRatio?: boolean;
  atLeast?: number;
  atMost?: number;
}

/** Measurements that belong together. Its name is a filter of `--only`. */
export interface Group {
  name: string;
  title: string;
  /** Whether it is measured only if `--only` asks for it. @default {false} */
  isOnRequest?: boolean;
  tables: Table[];
  targets?: Target[];
  cases: Case[];
}
