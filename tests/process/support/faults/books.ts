import { assert, assertEquals } from "@std/assert";
import { type Row, STORE } from "./disk.ts";
import type { Load } from "./load.ts";
import type { Totals } from "./subject.ts";

/** What is known of one life of a server, from its start to its end. */
export interface Life {
  readonly load: Load;
  /** How many messages were sent before it was told to end. */
  sentBefore?: number;
  /** Its last numbers, if it ended by itself and could print them. */
  totals?: Totals;
  /** Numbers from before it was killed: there were so many at least. */
  atLeast?: Totals;
  /** How many stored messages are gone with what others did to the file. */
  gone?: number;
  /** Whether there was little time in the end, or none. */
  isHurried?: boolean;
  /** What it has printed, if all of it was read. */
  printed?: string;
}

/** How many messages left the system's buffer, by a server's numbers. */
export function accounted(totals: Totals): number {
  const { received, dropped, kernelDrops } = totals;
  return received + sum(Object.values(dropped)) + (kernelDrops ?? 0);
}

/** Checks the totals of a server against what was sent to it. */
export function checkTotals(life: Life): void {
  const { load, totals, printed } = life;
  if (totals === undefined) return;
  const text = JSON.stringify(totals);
  const isCounted = totals.kernelDrops !== null;
  assert(isCounted || life.isHurried, `the system's count is missing: ${text}`);
  const { sentBefore = load.sent } = life;
  const least = isCounted ? sentBefore : 0;
  const there = accounted(totals);
  assert(
    least <= there && there <= load.sent,
    `${sentBefore} to ${load.sent} sent, ${there} in: ${text}`,
  );
  const { store, print, receipts } = totals.sinks;
  for (
    const sink of [store, print, receipts].filter((it) => it !== undefined)
  ) {
    assertEquals(sink["waiting"], 0, text);
  }
  // It was ended before it had opened its sinks.
  if (print === undefined) return assertEquals(totals.received, 0, text);
  if (store !== undefined) {
    const { stored = 0, notStored = 0 } = store;
    assertEquals(stored + notStored, totals.received, `store: ${text}`);
    const { sent = 0, notSent = 0 } = receipts!;
    assertEquals(sent + notSent, stored, `receipts: ${text}`);
    assert(load.receipts.length <= sent, `${load.receipts.length}: ${text}`);
  }
  const { printed: lines = 0, dropped = 0 } = print;
  assertEquals(lines + dropped, totals.received, `print: ${text}`);
  if (printed !== undefined) {
    const shown = printed.split("\n").length - 1;
    // A write that was not finished at the end is not counted.
    const isExact = dropped === 0 ? shown === lines : shown >= lines;
    assert(isExact, `${shown} lines: ${text}`);
  }
}

/**
 * Checks the files of a store against the lives of the servers that wrote it.
 *
 * @param keepRows How many of the newest messages had to be kept.
 */
export function checkFiles(
  lives: readonly Life[],
  rows: readonly Row[],
  keepRows = Infinity,
): void {
  const lastId = Math.max(...rows.map(({ id }) => id));
  const inUse = rows.filter(({ file }) => file === STORE).length;
  assert(inUse <= keepRows, `${inUse} rows, ${keepRows} are kept`);
  const byText = Map.groupBy(rows, ({ text }) => text);
  const perLife = lives.map(() => 0);
  for (const [text, [row, ...more]] of byText) {
    const n = lives.findIndex(({ load }) => load.has(text));
    assert(n >= 0, `nobody sent what is in ${row!.file}: "${text}"`);
    perLife[n]!++;
    // It may be written again, to be safe, but never under another number.
    const places = [row!, ...more].map(({ file, id }) => `${file}: ${id}`);
    const isOne = more.every(({ id }) => id === row!.id);
    assert(isOne, `"${text}" is stored in ${places}`);
  }
  // Whoever harms a file harms what earlier servers stored, too.
  const gone = sum(lives.map(goneIn));
  for (const [n, { load, totals, atLeast }] of lives.entries()) {
    const name = `life ${n + 1}`;
    const { stored = 0, notStored = 0 } = (totals ?? atLeast)?.sinks["store"] ??
      {};
    assertEquals(load.strange, [], `receipts of ${name}`);
    const missing = load.receipts.filter(({ id, text }) =>
      id > lastId - keepRows && !byText.get(text)?.some((row) => row.id === id)
    );
    const [first] = missing;
    assert(
      missing.length <= gone,
      `${name}: ${missing.length} messages with receipts are in no file, ${gone} ` +
        `are gone: ${first?.id} to ${missing.at(-1)?.id}; ${rangesOf(rows)}`,
    );
    const there = perLife[n]!;
    // What a commit may just have stored when there was no time left is counted
    // as not stored.
    const most = totals === undefined ? load.sent : stored + notStored;
    const least = keepRows === Infinity ? stored - gone : 0;
    assert(
      there >= least && there <= most,
      `${name}: ${there} rows, ${stored} reported as stored, ${notStored} as ` +
        `not stored, ${gone} gone`,
    );
  }
}

/**
 * Checks a stream against the files: each message is there once, but for those
 * that were counted as lost with a file that was moved.
 *
 * @param forgets Whether it may have messages twice that were counted as sent
 * again.
 */
export function checkStream(
  lives: readonly Life[],
  rows: readonly Row[],
  texts: readonly string[],
  forgets: boolean,
): void {
  const published = Map.groupBy(texts, (text) => text);
  const stored = new Set(rows.map(({ text }) => text));
  const repeated = [...published].filter(([_, all]) => all.length > 1);
  const isKnown = lives.every(({ totals }) => totals !== undefined);
  const sentAgain = sum(
    lives.map(({ totals }) => totals?.sinks["nats"]?.["sentAgain"] ?? 0),
  );
  // What a server had sent that was killed is not known.
  const most = !forgets ? 0 : isKnown ? sentAgain : Infinity;
  assert(
    repeated.length <= most,
    `${repeated.length} twice in the stream, such as "${repeated[0]?.[0]}", ` +
      `${most} may be`,
  );
  const strange = [...published.keys()].filter((text) => !stored.has(text));
  const gone = sum(lives.map(goneIn));
  assert(
    strange.length <= gone,
    `${strange.length} messages in the stream are not stored, ${gone} are gone`,
  );
  const missing = rows.filter(({ text }) => !published.has(text));
  const left = missing.filter(({ file }) => file === STORE);
  const example = `such as ${left[0]?.id} "${left[0]?.text}"`;
  assertEquals(left.length, 0, `not in the stream: ${left.length}, ${example}`);
  // What a server that was killed had counted is not known.
  const lost = lives.map(({ totals }) => totals?.sinks["nats"]?.["lost"]);
  const known = lost.includes(undefined) ? Infinity : sum(lost as number[]);
  assert(
    missing.length <= known,
    `${missing.length} messages are not in the stream, ${known} counted as lost`,
  );
}

/** Checks copies that were made of a store: all is there up to a moment. */
export function checkCopies(
  lives: readonly Life[],
  rows: readonly Row[],
): void {
  for (const [file, its] of Map.groupBy(rows, ({ file }) => file)) {
    const strange = its.find(({ text }) =>
      !lives.some(({ load }) => load.has(text))
    );
    assertEquals(strange, undefined, `nobody sent what is in ${file}`);
  }
}

/** Which numbers are in which file, as text. */
function rangesOf(rows: readonly Row[]): string {
  const ranges = [...Map.groupBy(rows, ({ file }) => file)].map(
    ([file, its]) => {
      const ids = its.map(({ id }) => id);
      return `${file}: ${Math.min(...ids)} to ${Math.max(...ids)}`;
    },
  );
  return ranges.join(", ");
}

function goneIn({ totals, atLeast, gone: known = 0 }: Life): number {
  const { gone = 0 } = (totals ?? atLeast)?.sinks["store"] ?? {};
  return Math.max(gone, known);
}

function sum(numbers: number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
