/** Reading the reports of test runners, in the form of JUnit. */

// A difference of long arrays has thousands of lines.
const MAX_LINES = 40;

/** A test that did not pass. */
export interface Failure {
  readonly name: string;
  /** What its runner said of it, of at most 40 lines. */
  readonly text: string;
}

/** How the tests of a report ended. */
export interface Outcome {
  readonly passed: number;
  readonly failed: readonly Failure[];
}

/** Reads a report. A test that was skipped counts as failed. */
export function outcomeOf(xml: string): Outcome {
  let passed = 0;
  const failed: Failure[] = [];
  const cases = xml.matchAll(
    /<testcase\b((?:[^>"]|"[^"]*")*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g,
  );
  for (const [, attributes = "", body = ""] of cases) {
    const [, kind = "", given = "", text = ""] =
      /<(failure|error|skipped)\b((?:[^>"]|"[^"]*")*?)(?:\/>|>([^<]*))/
        .exec(body) ?? [];
    if (kind === "") {
      passed++;
      continue;
    }
    const said = plain(text).trim() || attributeOf(given, "message");
    failed.push({
      name: attributeOf(attributes, "name"),
      text: shortened(`${kind}: ${said}`),
    });
  }
  return { passed, failed };
}

function attributeOf(attributes: string, name: string): string {
  const value = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(attributes)?.[1];
  return plain(value ?? "");
}

function shortened(text: string): string {
  const lines = text.split("\n");
  const more = lines.length - MAX_LINES;
  if (more <= 0) return text;
  return [...lines.slice(0, MAX_LINES), `… and ${more} more lines`].join("\n");
}

const MARKS: Record<string, string> = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  amp: "&",
};

function plain(text: string): string {
  return text.replace(
    /&(?:#(\d+)|(\w+));/g,
    (all, code, name) =>
      code === undefined ? MARKS[name] ?? all : String.fromCodePoint(+code),
  );
}
