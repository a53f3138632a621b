import { assert } from "@std/assert";
import { patience } from "../lib/carriers/patience.ts";

Deno.test("waiting for a peer ends when it takes nothing for an interval", async () => {
  const { over, stop } = patience(5, 1_000_000, () => 0);
  await over;
  stop();
});

Deno.test("waiting for a peer that takes bytes goes on for longer than four intervals", async () => {
  let progress = 0;
  let isOver = false;
  const { over, stop } = patience(20, 1_000_000, () => progress);
  over.then(() => isOver = true);
  const start = performance.now();
  while (performance.now() - start < 200) {
    progress++;
    await new Promise((go) => setTimeout(go, 1));
  }
  assert(!isOver);
  stop();
});

Deno.test("waiting for a peer ends although it takes bytes, if it does so too slowly", async () => {
  let progress = 0;
  const { over, stop } = patience(10, 160, () => progress++);
  await over;
  stop();
});

Deno.test("without a limit waiting does not end by itself", async () => {
  const { over, stop } = patience(Infinity, 1, () => 0);
  const later = new Promise((go) => setTimeout(go, 20, "later"));
  assert(await Promise.race([over, later]) === "later");
  stop();
});
