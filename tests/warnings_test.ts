import { assertEquals } from "@std/assert";
import { reporter, Warnings } from "../lib/warnings.ts";
import { consoleErrors } from "./support/helpers.ts";

Deno.test("errors of many peers are one line, and leave room for others", () => {
  const lines: string[] = [];
  const warnings = new Warnings((line) => void lines.push(line));
  for (let port = 1; port <= 1000; port++) {
    warnings.onceAlike(`Cannot send to udp://10.0.0.${port % 256}:${port}: no`);
  }
  warnings.onceAlike("the disk is full");
  assertEquals(lines, [
    "Cannot send to udp://10.0.0.1:1: no",
    "the disk is full",
  ]);
});

Deno.test("without a callback, errors of many peers print one line as well", async () => {
  const printed = await consoleErrors(() => {
    const report = reporter(undefined);
    for (let port = 1; port <= 100; port++) report(new Error(`no ${port}`));
    report(new Error("the disk is full"));
    return Promise.resolve();
  });
  assertEquals(printed, [["Error: no 1"], ["Error: the disk is full"]]);
});
