import { badPeers } from "../groups/bad_peers.ts";
import { carriers } from "../groups/carriers.ts";
import { curves } from "../groups/curves.ts";
import { dgram } from "../groups/dgram.ts";
import { fromMany, toMany } from "../groups/many_peers.ts";
import { nats } from "../groups/nats.ts";
import { relay } from "../groups/relay.ts";
import { roundTrips } from "../groups/round_trip.ts";
import { startUp } from "../groups/start_up.ts";
import { store } from "../groups/store.ts";
import { runs } from "../groups/runs.ts";
import { pairs, receive, send } from "../groups/throughput.ts";
import { workers } from "../groups/workers.ts";
import type { Case, Group, Row } from "./group.ts";
import { IMPLEMENTATIONS } from "./implementations.ts";

/** All groups, in the order in which they are measured and shown. */
export const GROUPS: readonly Group[] = [
  ...[pairs, receive, send, runs, fromMany, toMany, roundTrips, startUp],
  ...[workers, relay, nats, store, carriers, dgram, badPeers, curves],
];

const ALL: readonly (Case & Row)[] = GROUPS.flatMap(({ name, cases }) =>
  cases.map((each) => ({ ...each, group: name }))
);
const SIZES = new Set(ALL.flatMap(({ size }) => size ?? []));

/** The filters of `--only`, by kind. */
export const FILTERS = {
  group: GROUPS.map(({ name }) => name),
  size: [...SIZES].sort((a, b) => a - b).map(String),
  implementation: Object.keys(IMPLEMENTATIONS),
};

/**
 * Selects what is measured. Filters of one kind are alternatives; a row has to
 * match one of each kind that is given. Rows without datagrams match every size.
 *
 * @param only Filters. Without any, all groups are selected that are not
 * measured on request only.
 */
export function select(only: readonly string[]): (Case & Row)[] {
  if (only.length === 0) {
    const onRequest = GROUPS.filter(({ isOnRequest }) => isOnRequest);
    return ALL.filter(({ group }) =>
      !onRequest.some(({ name }) => name === group)
    );
  }
  const matches = (kind: keyof typeof FILTERS, value: unknown) => {
    const given = only.filter((word) => FILTERS[kind].includes(word));
    return value === undefined || given.length === 0 ||
      given.includes(`${value}`);
  };
  return ALL.filter(({ group, size, implementation }) =>
    matches("group", group) && matches("size", size) &&
    matches("implementation", implementation)
  );
}
