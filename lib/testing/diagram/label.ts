import { count } from "../../count.ts";
import { escapeControls } from "../../escape.ts";
import { firstBytes } from "../../first_bytes.ts";
import type { Event } from "../ledger.ts";

const SHOWN_BYTES = [24, 20, 16, 12, 10, 8, 6, 4];
// Such characters may be wider than others.
const WIDE = /[^ -~\xa1-\xff…]/;

const WORDS: Readonly<Record<Event["entry"]["fate"], string>> = {
  delivered: "",
  lost: "lost",
  partitioned: "parted",
  dropped: "dropped",
  overMtu: "over mtu",
  queueFull: "queue full",
  unreachable: "unreachable",
  crashed: "host is down",
  inFlight: "in flight",
};

/** Returns the first bytes of a datagram and its size, or less if there is no room. */
export function labelOf(data: Uint8Array, room: number): string {
  for (const most of SHOWN_BYTES) {
    const bytes = escapeControls(firstBytes(data, most));
    const label = data.length > most ? `${bytes} ${data.length} B` : bytes;
    if (label.length <= room && !WIDE.test(label)) return label;
  }
  const size = count(data.length, "byte");
  return [size, `${data.length} B`].find((text) => text.length <= room) ?? "";
}

/** Says what the network did to a datagram. */
export function noteOf({ entry }: Event, isWhole: boolean): string {
  const { time, sent, fate, copy, corrupted, reordered, ruled } = entry;
  return [
    WORDS[fate],
    copy && "copy",
    corrupted && "corrupted",
    reordered && "reordered",
    ruled && fate !== "dropped" && "by a rule",
    isWhole && fate !== "inFlight" && time > sent && `+${msOf(time - sent)} ms`,
  ].filter(Boolean).join(", ");
}

/** Milliseconds, with at most one decimal place. */
export function msOf(ms: number): string {
  return ms.toFixed(1).replace(/\.0$/, "");
}

/** Joins those that are not empty. */
export function textOf(...parts: string[]): string {
  return parts.filter((part) => part !== "").join(" ");
}
