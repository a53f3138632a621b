// Each entry of the package imports this module first. It runs before the others,
// and nothing in the package is written in a syntax that an older Node cannot
// parse, so that this line is what its user sees.
import { refuse } from "./refuse.js";

const { bun, deno, node } = globalThis.process?.versions ?? {};
if (bun === undefined && deno === undefined && parseInt(node) < 24) {
  refuse(`@pli/datagram needs Node 24 or later: this is Node ${node}`);
}
