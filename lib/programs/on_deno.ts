import { globals, requireDeno } from "../runtime.ts";

/**
 * Returns whether the program runs on Deno. If not, prints one line, and the exit
 * code will be 1. It is asked before anything is loaded that only Deno can load.
 */
export function isOnDeno(program: string): boolean {
  try {
    requireDeno(program);
    return true;
  } catch (error) {
    console.error((error as Error).message);
    if (globals.process !== undefined) globals.process.exitCode = 1;
    return false;
  }
}
