/**
 * The program `deno task server`: receives messages, and prints, answers, stores or publishes them.
 *
 * @module
 */
import { isOnDeno } from "./lib/programs/on_deno.ts";

if (import.meta.main && isOnDeno("server.ts")) {
  const { runProgram } = await import("./lib/programs/program.ts");
  const { server } = await import("./lib/programs/server.ts");
  await runProgram("server", () => server(Deno.args, import.meta.filename!));
}
