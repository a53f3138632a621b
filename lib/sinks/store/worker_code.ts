import database from "./database.js" with { type: "text" };
import fate from "./fate.js" with { type: "text" };
import file from "./file.js" with { type: "text" };
import kept from "./kept.js" with { type: "text" };
import legacy from "./legacy.js" with { type: "text" };
import opener from "./opener.js" with { type: "text" };
import place from "./place.js" with { type: "text" };
import reasons from "./reasons.js" with { type: "text" };
import rows from "./rows.js" with { type: "text" };
import schema from "./schema.js" with { type: "text" };
import state from "./state.js" with { type: "text" };
import clock from "./steady_clock.js" with { type: "text" };
import worker from "./worker.js" with { type: "text" };

// A module after those that it imports.
const MODULES = {
  "./reasons.js": reasons,
  "./steady_clock.js": clock,
  "./file.js": file,
  "./fate.js": fate,
  "./kept.js": kept,
  "./legacy.js": legacy,
  "./rows.js": rows,
  "./schema.js": schema,
  "./state.js": state,
  "./database.js": database,
  "./opener.js": opener,
  "./place.js": place,
  "./worker.js": worker,
};

/** The URL of the worker's code, until it is disposed of. */
export interface WorkerCode extends Disposable {
  readonly url: string;
}

/** Makes modules of the texts, so that nothing has to be read when a worker starts. */
export function workerCode(): WorkerCode {
  const urls = new Map<string, string>();
  for (const [name, text] of Object.entries(MODULES)) {
    // The types are checked with everything else, not at each start.
    let code = text.replace("// @ts-check\n", "");
    for (const [name, url] of urls) {
      code = code.replace(`from "${name}"`, `from "${url}"`);
    }
    const blob = new Blob([code], { type: "text/javascript" });
    urls.set(name, URL.createObjectURL(blob));
  }
  return {
    url: urls.get("./worker.js") ?? "",
    [Symbol.dispose]: () => urls.forEach((url) => URL.revokeObjectURL(url)),
  };
}
