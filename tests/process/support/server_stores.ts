/** What tests of a server with a store share. */
import { assertEquals } from "@std/assert";
import type { Start } from "./programs.ts";

/** All permissions. */
export const ALL = { flags: ["-A"] };

/** A test with a folder of its own, and the path of a store in it. */
export function test(
  promise: string,
  body: (path: string, folder: string) => Promise<void>,
): void {
  Deno.test(promise, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await body(`${folder}/messages.db`, folder);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** The last line of a server that has ended with 0. */
export function counted({ code, stderr }: { code: number; stderr: string }) {
  assertEquals(code, 0, stderr);
  return JSON.parse(stderr.trimEnd().split("\n").at(-1)!);
}

/** The permissions that a server with that store needs. */
export function flags(path: string): Start {
  return {
    flags: [
      "--allow-net=127.0.0.1",
      `--allow-read=${path}`,
      `--allow-write=${path}`,
    ],
  };
}
