import { markdown } from "./markdown.ts";
import type { Outcome } from "./outcome.ts";

const HEADING = "### ";
const BLANK = "\n\n";
const DETAILS_END = "</details>\n";

/** Where the results of a run are kept: `2026-11-24.json`, with or without a part. */
export type Part = "" | "-carriers" | "-curves";

/** Returns the newest results that are kept, of a part. */
export function newestResults(part: Part): string {
  const folder = "bench/results";
  const pattern = new RegExp(`^\\d{4}-\\d\\d-\\d\\d${part}\\.json$`);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => pattern.test(name)).sort();
  const newest = names.at(-1);
  if (newest === undefined) throw new Error(`${folder} has no *${part}.json`);
  return `${folder}/${newest}`;
}

/**
 * Replaces the tables of a page by those of a run, and the paragraph before them
 * that tells about it. A table that the page lacks is added after the one before.
 */
export function withResults(page: string, outcome: Outcome): string {
  const [about = "", ...parts] = markdown(outcome).split(BLANK);
  const start = page.indexOf(parts.find((part) => part.startsWith(HEADING))!);
  const before = page.slice(0, start).split(BLANK);
  const told = before.findLastIndex((text) => text.includes("Medians of"));
  if (start < 0 || told < 0) {
    throw new Error("the page has no place for these results");
  }
  before[told] = about;
  page = before.join(BLANK) + page.slice(start);
  let from = 0;
  for (const [i, heading] of parts.entries()) {
    if (!heading.startsWith(HEADING)) continue;
    const text = `${heading}\n\n${parts[i + 1]}\n`;
    const at = page.indexOf(`${heading}\n`, from);
    if (at >= 0) {
      const end = page.indexOf("\n\n", at + heading.length + 2) + 1;
      page = page.slice(0, at) + text + page.slice(end);
      from = at + text.length;
    } else {
      const end = page.indexOf(DETAILS_END, from) + DETAILS_END.length;
      const summary = heading.slice(HEADING.length).replace(/, \d+ bytes$/, "");
      const added =
        `\n<details>\n<summary>${summary}</summary>\n\n${text}\n${DETAILS_END}`;
      page = page.slice(0, end) + added + page.slice(end);
      from = end + added.length - DETAILS_END.length;
    }
  }
  return page;
}
