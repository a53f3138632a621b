import type { Chance } from "./chance.ts";

/** What a server has besides its socket and a printer. */
export interface Setup {
  readonly hasStore: boolean;
  readonly hasPage: boolean;
  /** How many messages its store keeps. @default {all} */
  readonly keepRows?: number;
}

const USUAL: Setup = { hasStore: true, hasPage: true };
const WITHOUT_PAGE: Setup = { hasStore: true, hasPage: false };
const WITHOUT_STORE: Setup = { hasStore: false, hasPage: true };
const FORGETFUL: Setup = { ...USUAL, keepRows: 300 };

/** Chooses one. A server that publishes has a store, which keeps everything. */
export function pickSetup(chance: Chance, publishes: boolean): Setup {
  return chance.pick(
    publishes ? [USUAL, USUAL, WITHOUT_PAGE] : [
      ...[USUAL, USUAL, USUAL, USUAL, WITHOUT_PAGE],
      ...[WITHOUT_STORE, FORGETFUL, FORGETFUL],
    ],
  );
}
