// Collects metrics of StatsD (github.com/statsd/statsd, docs/metric_types.md), one
// per line, and prints them every ten SECONDS and at Ctrl-C.
//
//   deno run --allow-net=127.0.0.1 examples/protocols/statsd.ts 127.0.0.1:8125

import { escapeControls } from "@pli/datagram";
import { collectAt, program } from "./program.ts";

const MAX = 10_000; // Anybody can send new names, and new members of sets.
const LINE = /^([^:|]+):([^|]+)\|(c|g|ms|h|d|s)(\|@[\d.]+)?(\|#[^|]*)?$/;

/** Metrics by type, name and tags. Each member of a set is one of its own. */
export class Metrics {
  readonly #all = new Map<string, { n: number; sum: number; max: number }>();

  /** Adds a line. Returns whether it is well-formed, and there was room. */
  add(line: string): boolean {
    const [, name, value = "", type, at = "|@1", tags] = LINE.exec(line) ?? [];
    const number = type === "s" ? 1 : Number(value);
    const times = 1 / Number(at.slice(2)); // One of ten: it stands for all ten.
    if (!name || !Number.isFinite(number * times)) return false;
    const title = `${type}  ${name}${tags ? ` {${tags.slice(2)}}` : ""}`;
    const key = type === "s" ? `${title}\n${value}` : title;
    const { n, ...old } = this.#all.get(key) ?? { n: 0, sum: 0, max: number };
    if (n === 0 && this.#all.size >= MAX) return false;
    const isSet = type === "g" && !/^[+-]/.test(value); // Else it is changed.
    const sum = (isSet ? 0 : old.sum) + number * times;
    this.#all.set(key, { n: n + times, sum, max: Math.max(old.max, number) });
    return true;
  }

  /** Returns a line per metric, and begins again with all but the gauges. */
  flush(): string[] {
    const lines = new Map<string, string | number>();
    for (const [key, { n, sum, max }] of this.#all) {
      const [title = "", member] = key.split("\n");
      const timer = `${n} values, mean ${sum / n}, max ${max}`;
      const members = Number(lines.get(title) ?? 0) + 1;
      const total = member === undefined ? sum : members;
      lines.set(title, /^[mhd]/.test(title) ? timer : total);
      if (!title.startsWith("g")) this.#all.delete(key);
    }
    return [...lines].map((line) => escapeControls(line.join("  ")));
  }
}

if (import.meta.main) {
  await program("statsd.ts ADDRESS [SECONDS]", async (at = "", s = "") => {
    const metrics = new Metrics();
    const print = () => metrics.flush().forEach((line) => console.log(line));
    Deno.unrefTimer(setInterval(print, Number(s) * 1000 || 10_000));
    await collectAt(at, ({ datagram }) => {
      const lines = datagram.text().split("\n");
      const added = lines.map((line) => line === "" || metrics.add(line));
      if (added.includes(false)) throw new RangeError("malformed, or too many");
    });
    print();
  });
}
