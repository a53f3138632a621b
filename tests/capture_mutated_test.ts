/** Broken files: no crash, no wait without an end, nothing uncounted. */
import { assert, assertEquals } from "@std/assert";
import { CaptureError } from "../lib/capture.ts";
import { mutated, seeds } from "./support/mutated_captures.ts";
import { random } from "./support/helpers.ts";
import { read } from "./support/captures.ts";

Deno.test("a mutated file gives datagrams and counts, and at most one error", async () => {
  const below = random(17);
  const all = seeds();
  for (let n = 0; n < 2000; n++) {
    const file = mutated(all[n % all.length]!, below);
    const { datagrams, stats, error } = await read(file);
    assert(error === undefined || error instanceof CaptureError, `${error}`);
    const { packets, others, datagrams: found, ...rest } = stats;
    const counts = [...Object.values(others), ...Object.values(rest)];
    assertEquals(counts.reduce((sum, n) => sum + n, found), packets, `${n}`);
    assertEquals(datagrams.length, found);
    const size = datagrams.reduce((sum, { data }) => sum + data.length, 0);
    assert(size <= file.length, `${n}: ${size}`);
  }
});
