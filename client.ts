/**
 * The program `deno task client`: sends messages, and waits for replies.
 *
 * @module
 */
import { client } from "./lib/programs/client.ts";
import { runProgram } from "./lib/programs/program.ts";

if (import.meta.main) {
  await runProgram("client", () => client(Deno.args, import.meta.filename!));
}
