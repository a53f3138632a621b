import { type KitName, KITS } from "./kits.ts";
import {
  carried,
  type Figures,
  roundTrip,
  type Run,
  serverStartUp,
  startUp,
  throughput,
} from "./measure.ts";
import {
  CARRIERS,
  KINDS,
  PAIRS,
  type Peer,
  RECEIVERS,
  SENDERS,
} from "./peers.ts";

/** The group of the carriers' tables. */
const CARRIED = "carriers";
// What a QUIC datagram holds from the start.
const CARRIED_SIZES = [100, 1100];

/** The tables of the report. Their names are words of `--only`. */
const GROUPS = ["pairs", "receive", "send", "round-trip", "start-up", CARRIED];

/** The lengths of datagrams, in bytes. They are words of `--only`. */
const SIZES = [100, 1200];

const SIZE_WORDS = [...new Set([...SIZES, ...CARRIED_SIZES])].map(String);
// One of them asks for the carriers, too.
const CARRIED_WORDS = [
  CARRIED,
  ...CARRIED_SIZES.filter((size) => !SIZES.includes(size)).map(String),
  ...Object.keys(CARRIERS),
];

/** All that `--only` takes. */
export const WORDS = [...GROUPS, ...SIZE_WORDS, ...Object.keys(KITS)];

/** A row of the report. */
export interface Row {
  group: string;
  /** Bytes a datagram. @default {there are none} */
  size?: number;
  label: string;
  /** Of what was measured for it. Rows of two tables may share it. */
  id: string;
}

/** A row, and how it is measured. */
export interface Case extends Row {
  /** The kind of peer that it is about. */
  kit: KitName;
  /** All kinds that have to be there. */
  needs: readonly KitName[];
  measure(run: Run, seconds: number): Promise<Figures>;
}

/**
 * All that the words ask for; without any, all but the carriers, which have to
 * be named: their group, one of them, or a size of their own.
 */
export function cases(only: readonly string[]): Case[] {
  const chosen = (words: readonly string[]) => {
    const some = only.filter((word) => words.includes(word));
    return (word: string) => some.length === 0 || some.includes(word);
  };
  const group = chosen(GROUPS);
  const size = chosen(SIZE_WORDS);
  const kit = chosen(Object.keys(KITS));
  const named = only.some((word) => CARRIED_WORDS.includes(word));
  const all = [
    ...SIZES.flatMap(sized),
    ...starts(),
    ...named ? CARRIED_SIZES.flatMap(carriedOnes) : [],
  ];
  return all.filter((each) =>
    group(each.group) && kit(each.kit) &&
    (each.size === undefined || size(`${each.size}`))
  );
}

/** The id of what is sent by one to another. */
export function between(
  sender: keyof typeof SENDERS,
  receiver: keyof typeof RECEIVERS,
  size: number,
): string {
  return `${sender} > ${receiver}, ${size}`;
}

/** The id of a kind's round trips. */
export function echoed(kit: keyof typeof KINDS, size: number): string {
  return `${kit} round trip, ${size}`;
}

/** The id of what one of the carriers brings to its like. */
export function overCarrier(kit: keyof typeof CARRIERS, size: number): string {
  return `over ${kit}, ${size}`;
}

function sized(size: number): Case[] {
  const sent = (
    group: string,
    [from, to]: typeof PAIRS[number],
    label: (sender: Peer, receiver: Peer) => string,
    about: Peer,
  ): Case => {
    const [sender, receiver]: Peer[] = [SENDERS[from], RECEIVERS[to]];
    return {
      ...{ group, size, label: label(sender, receiver), kit: about.kit },
      id: between(from, to, size),
      needs: [sender.kit, receiver.kit],
      measure: (run, seconds) =>
        throughput(run, sender, receiver, size, seconds),
    };
  };
  return [
    ...PAIRS.map((pair) =>
      sent(
        ...["pairs", pair] as const,
        (sender, receiver) => `${sender.label} → ${short(receiver.label)}`,
        RECEIVERS[pair[1]],
      )
    ),
    ...keys(RECEIVERS).map((to) =>
      sent("receive", ["gso", to], (_, { label }) => label, RECEIVERS[to])
    ),
    ...keys(SENDERS).map((from) =>
      sent("send", [from, "c"], ({ label }) => label, SENDERS[from])
    ),
    ...keys(KINDS).map((kit): Case => ({
      ...{ group: "round-trip", size, label: KINDS[kit], kit },
      id: echoed(kit, size),
      needs: [kit],
      measure: (run, seconds) => roundTrip(run, kit, size, seconds),
    })),
  ];
}

function carriedOnes(size: number): Case[] {
  return keys(CARRIERS).map((kit): Case => ({
    ...{ group: CARRIED, size, label: CARRIERS[kit], kit },
    id: overCarrier(kit, size),
    needs: [kit],
    measure: (run, seconds) => carried(run, kit, size, seconds),
  }));
}

function starts(): Case[] {
  const group = "start-up";
  return [
    ...keys(KINDS).map((kit): Case => ({
      ...{ group, label: KINDS[kit], kit, id: `${kit} start-up` },
      needs: [kit],
      measure: (run) => startUp(run, kit),
    })),
    {
      ...{ group, label: "Pli's program, server.ts", kit: "pli" },
      id: "server start-up",
      needs: [],
      measure: serverStartUp,
    },
  ];
}

/** What a receiver is called beside the sender of its kind. */
function short(label: string): string {
  return label.replace(/^(?:Deno\.DatagramConn|Pli over offload|Pli|C), /, "");
}

function keys<K extends string>(record: Record<K, unknown>): K[] {
  return Object.keys(record) as K[];
}
