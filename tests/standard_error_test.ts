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

Deno.test("a text below all lines is replaced, erased before lines, and shown again", async () => {
  const { standardError, writes, answer } = fake();
  const wrote = async () => {
    answer();
    await standardError.flush(0);
  };
  const erase = "\r\x1b[K";
  standardError.show("1 s");
  await wrote();
  standardError.show("1 s");
  standardError.show("2 s");
  await wrote();
  standardError.print("a line");
  await wrote();
  standardError.show("");
  await wrote();
  standardError.show("");
  standardError.print("totals");
  await wrote();
  assertEquals(writes, [
    "1 s",
    `${erase}2 s`,
    `${erase}a line\n2 s`,
    erase,
    "totals\n",
  ]);
});

Deno.test("what writes to the same terminal waits until the text is erased, and no longer", async () => {
  const { standardError, writes, answer } = fake();
  const write = () => Promise.resolve(writes.push("output"));
  // Nothing is shown: it does not wait for a reader that has stalled.
  standardError.print("a line");
  await standardError.aside(write);
  answer();
  await standardError.flush(0);
  standardError.show("1 s");
  answer();
  await standardError.flush(0);
  const writing = standardError.aside(write);
  standardError.show("2 s");
  assertEquals(writes.at(-1), "\r\x1b[K");
  answer();
  await writing;
  assertEquals(writes, ["a line\n", "output", "1 s", "\r\x1b[K", "output"]);
});

Deno.test("a text that could not be shown is not tried again by itself", async () => {
  let tries = 0;
  const standardError = new StandardError(() => {
    tries++;
    return Promise.reject(new Error("no terminal"));
  });
  standardError.show("1 s");
  await standardError.flush(1000);
  assertEquals(tries, 1);
});
