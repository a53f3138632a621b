// This library beside all others that do the same work, in one run.
import { cases, WORDS } from "./lib/cases.ts";
import { markdown } from "./lib/markdown.ts";
import { readOptions } from "./lib/options.ts";
import { writeOutcome } from "./lib/outcome.ts";
import { sideBySide } from "./lib/side_by_side.ts";

const options = readOptions({
  about: "Datagrams sent, received and echoed, by this library and by others.",
  command: "deno task bench",
  rounds: 7,
  seconds: 0.5,
  words: WORDS,
});
const outcome = await sideBySide(cases(options.only), options);
console.log(markdown(outcome));
await writeOutcome(outcome, options.json);
