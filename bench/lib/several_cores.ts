import type { Row } from "./cases.ts";
import { table } from "./report.ts";
import { median, type Results } from "./results.ts";

const CORES = 16;
const LINK_BITS = 10e9;
// Bytes on the wire beside the datagram's: UDP 8, IPv4 20, Ethernet 18 with its
// checksum, preamble 8, gap 12.
const WIRE = 66;

/**
 * What many cores and a fast link would allow, from what a datagram costs each
 * receiver. Empty where that was not measured.
 */
export function severalCores(
  rows: readonly Row[],
  results: Results<string, string>,
): string {
  const lines = rows.filter(({ group }) => group === "receive").map(
    ({ label, size = 0, id }) => {
      const micros = median(results.of(id, "receiverMicros"));
      const link = LINK_BITS / 8 / (size + WIRE) / 1e6;
      return [
        `${label}, ${size} bytes`,
        ...[CORES / micros, link, link * micros].map((each) => each.toFixed(2)),
      ];
    },
  );
  if (lines.length === 0) return "";
  const head = [
    "receiver",
    `${CORES} cores, million/s`,
    `${LINK_BITS / 1e9} Gbit/s, million/s`,
    "cores that take it all",
  ];
  return `### Several cores, on paper\n\n${table([head, ...lines])}`;
}
