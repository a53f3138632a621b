import { assertEquals } from "@std/assert";
import { StandardError } from "../lib/programs/standard_error.ts";

/** A standard error whose reader takes one write at a time, or fails. */
function fake() {
  const writes: string[] = [];
  let taken = Promise.withResolvers<void>();
  const standardError = new StandardError(async (bytes) => {
    writes.push(new TextDecoder().decode(bytes));
    await taken.promise;
    return bytes.length;
  });
  const answer = (error?: Error) => {
    const { resolve, reject } = taken;
    taken = Promise.withResolvers();
    if (error === undefined) resolve();
    else reject(error);
  };
  return { standardError, writes, answer };
}

Deno.test("lines that are printed during a write go out with the next one, in order", async () => {
  const { standardError, writes, answer } = fake();
  for (const line of ["a", "b", "c"]) standardError.print(line);
  assertEquals(writes, ["a\n"]);
  answer();
  await standardError.flush(0);
  assertEquals(writes, ["a\n", "b\nc\n"]);
  answer();
  await standardError.flush(1000);
});

Deno.test("a reader that stalls holds up nothing, and what does not fit is said later", async () => {
  const { standardError, writes, answer } = fake();
  const line = "x".repeat(64 * 1024 - 1);
  for (let n = 0; n < 10; n++) standardError.print(line);
  // It waits no longer than it is told to.
  await standardError.flush(1);
  answer();
  await standardError.flush(1);
  assertEquals(writes[1]!.split("\n").slice(0, 2), [
    "(6 lines missing here)",
    line,
  ]);
  answer();
  await standardError.flush(1000);
  assertEquals(writes.length, 2);
});

Deno.test("a write that fails ends nothing, and the lines are counted", async () => {
  const { standardError, writes, answer } = fake();
  standardError.print("lost");
  answer(new Error("no space left on device"));
  await standardError.flush(1000);
  standardError.print("written");
  answer();
  await standardError.flush(1000);
  assertEquals(writes, ["lost\n", "(1 line missing here)\nwritten\n"]);
});

Deno.test("a write that takes only a part is continued", async () => {
  const written: number[] = [];
  const standardError = new StandardError((bytes) => {
    written.push(...bytes.subarray(0, 2));
    return Promise.resolve(Math.min(bytes.length, 2));
  });
  standardError.print("hello");
  await standardError.flush(1000);
  assertEquals(new TextDecoder().decode(new Uint8Array(written)), "hello\n");
});
