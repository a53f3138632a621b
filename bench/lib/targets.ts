import { between, echoed } from "./cases.ts";
import type { Target } from "./report.ts";

const SIZE = 100;
const oneByOne = between("offload", "offload", SIZE);
const bun = between("bun", "bun", SIZE);
const node = between("node", "node", SIZE);
const gso = between("gso", "gro", SIZE);

/** What should be reached, in ratios within a round. */
export const TARGETS: readonly Target<string, string>[] = [
  ...batched("batches", between("offload", "batches", SIZE)),
  ...batched("batches, reuse", between("offload", "reused", SIZE)),
  received("offload, sendMany → for await / Bun → Bun", oneByOne, bun, 5),
  // What it sends; and what of it arrives, which the receiver limits.
  ...["sent", "received"].map((figure) => ({
    what: `offload, sendMany / Bun, sendMany, to C, recvfrom: ${figure}`,
    figure,
    subject: between("offload", "c", SIZE),
    base: between("bun", "c", SIZE),
    atLeast: 3,
  })),
  trip("offload / Bun, round trip p50", "offload", "bun", 1.15),
  trip("default / raw Deno, round trip p50", "pli", "raw", 1.1),
  trip("default / Node, round trip p50", "pli", "node", 1),
  received(
    "default, for await / raw loop, one buffer, receive",
    ...[
      between("gso", "pli", SIZE),
      between("gso", "raw", SIZE),
      0.95,
    ] as const,
  ),
  {
    what: "default, send / raw send",
    figure: "sent",
    subject: between("pli", "c", SIZE),
    base: between("raw", "c", SIZE),
    atLeast: 0.95,
  },
];

function batched(label: string, subject: string): Target<string, string>[] {
  const what = `offload, sendMany → ${label}`;
  return [
    received(`${what} / Bun → Bun`, subject, bun, 15),
    received(`${what} / Node → Node`, subject, node, 20),
    received(`${what} / C, GSO → GRO`, subject, gso, 0.7),
  ];
}

function received(
  what: string,
  subject: string,
  base: string,
  atLeast: number,
): Target<string, string> {
  return { what, figure: "received", subject, base, atLeast };
}

function trip(
  what: string,
  kit: Parameters<typeof echoed>[0],
  base: Parameters<typeof echoed>[0],
  atMost: number,
): Target<string, string> {
  const ids = { subject: echoed(kit, SIZE), base: echoed(base, SIZE) };
  return { what, figure: "p50", ...ids, atMost };
}
