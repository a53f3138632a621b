import { openRecording, type RecordingStats } from "../capture.ts";
import { performance } from "../platform.ts";
import type { Relay, RelayFate, RelayOptions } from "../testing/relay.ts";
import { say } from "./program.ts";
import type { RecordSettings } from "./record_settings.ts";
import { describeRelay, type RelayTotals } from "./relay_totals.ts";

// How long the end waits for a disk that hangs.
const CLOSE_MS = 3000;

/** The recording of a relay. */
export interface FateRecording {
  /** Takes a datagram with its fate. */
  readonly add: (fate: RelayFate) => void;
  readonly stats: RecordingStats;
  /** Writes the totals as the last comment, and closes the file. */
  close(totals?: RelayTotals): Promise<void>;
}

/** A relay, and its recording if it has one. */
export interface RecordedRelay {
  readonly relay: Relay;
  readonly recording: FateRecording | undefined;
}

/**
 * Starts a relay, and records each of its datagrams with its fate, at the time
 * when that was decided. If the relay cannot be started, there is no file.
 *
 * @param settings `undefined` if nothing is to be recorded.
 */
export async function startRecorded(
  settings: RecordSettings | undefined,
  seed: number,
  start: (onFate: RelayOptions["onFate"]) => Relay,
): Promise<RecordedRelay> {
  if (settings === undefined) {
    return { relay: start(undefined), recording: undefined };
  }
  const recording = await recordFates(settings, seed);
  try {
    return { relay: start(recording.add), recording };
  } catch (error) {
    await recording.close();
    await Deno.remove(settings.path);
    throw error;
  }
}

async function recordFates(
  { path, limit }: RecordSettings,
  seed: number,
): Promise<FateRecording> {
  const recording = await openRecording(path, {
    limit,
    comment: `relay, seed ${seed}`,
    onTrouble: say,
  });
  return {
    add: ({ from, to, data, ...fate }) =>
      recording.record({
        time: now(),
        from,
        to,
        data,
        comments: [describeFate(fate)],
      }),
    get stats() {
      return recording.stats;
    },
    close: (totals) =>
      recording.close(
        AbortSignal.timeout(CLOSE_MS),
        totals && describeRelay(totals).join("; "),
      ),
  };
}

/** Nanoseconds since 1970, to the microsecond. */
function now(): bigint {
  const ms = globalThis.performance.timeOrigin + performance.now();
  return BigInt(Math.round(ms * 1000)) * 1000n;
}

function describeFate(
  fate: Omit<RelayFate, "from" | "to" | "data">,
): string {
  const held = fate.fate === "forwarded"
    ? ` after ${fate.heldMs.toFixed(3)} ms`
    : "";
  const words = [`${fate.direction}: ${fate.fate}${held}`];
  if (fate.duplicate) words.push("a copy");
  if (fate.reordered) words.push("reordered");
  if (fate.corrupted) words.push("corrupted");
  if (fate.ruled) words.push("by a rule");
  return words.join(", ");
}
