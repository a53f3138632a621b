/**
 * The program `deno task server`: receives messages, and prints, answers, stores or publishes them.
 *
 * @module
 */
import { runProgram } from "./lib/programs/program.ts";
import { server } from "./lib/programs/server.ts";

if (import.meta.main) {
  await runProgram("server", () => server(Deno.args, import.meta.filename!));
}
