import { DEFAULT_PAGE } from "../page_settings.ts";

/** The text of `--help`: one screen. */
export const HELP: string =
  `Measure a path: delay, jitter, reordering, and where datagrams are lost.

Usage: deno task measure ADDRESS [options]
ADDRESS: deno task reflect, or another STAMP reflector; as client --to has it

traffic    --rate RATE         1000/s, or 10mbit without headers        [100/s]
           --size N            bytes, several in turn (100,1400), or imix  [44]
           --duration D        such as 10s; --omit D: leave out the start [10s]
           --burst N           so many at a time, at the same rate          [1]
           --wait D            how long an answer may take                 [2s]
           --one-way           one-way delays, by estimated clocks
result     --format F          text | json | csv, a line per second      [text]
           --packets FILE      a line per datagram: CSV, or JSON (.jsonl)
           --plot FILE.svg     delay over time, losses, the distribution
           --page [HOST:PORT]  live, in a browser           [${DEFAULT_PAGE}]
           --page-token-file F as server has it
           --assert LIST       loss<1%,p99<20ms,loss-out<=0%,jitter<5ms
           --quiet             print the result only
search     --search            the highest rate that the path carries
           --max-loss P        what may be lost                          [0.1%]
           --trial D           how long each rate is tried                 [2s]
transport  --framing F, --ca FILE, --token-file FILE, --reliable, --fast
other      --trace, -h, --help, --version

Names for --assert: loss, loss-out, loss-back, duplicates, reordered (%), min,
mean, p50, p90, p99, p99.9, p99.99, max, jitter (us, ms, s); < <= > >=
Exit codes: 0 done, or Ctrl-C; 1 bad usage or address; 2 no socket or file;
3 no answer; 4 some datagrams not sent; 5 an assertion failed (wins).
  deno task measure 127.0.0.1:62862 --rate 1000/s --assert "loss<1%,p99<20ms"`;

/** The options that the program knows. */
export const MEASURE_OPTIONS = {
  values: [
    "rate",
    "size",
    "duration",
    "omit",
    "burst",
    "wait",
    "format",
    "packets",
    "plot",
    "page",
    "page-token-file",
    "assert",
    "max-loss",
    "trial",
    "framing",
    "ca",
    "token-file",
  ],
  flags: ["one-way", "search", "reliable", "fast", "trace", "quiet"],
  optional: ["page"],
} as const;
