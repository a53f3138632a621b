/**
 * The program `deno task client`: sends messages, and waits for replies.
 *
 * @module
 */
import { isOnDeno } from "./lib/programs/on_deno.ts";

if (import.meta.main && isOnDeno("client.ts")) {
  const { runProgram } = await import("./lib/programs/program.ts");
  const { client } = await import("./lib/programs/client.ts");
  await runProgram("client", () => client(Deno.args, import.meta.filename!));
}
