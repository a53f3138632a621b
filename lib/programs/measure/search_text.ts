import { type SchemeAddr, schemeOf } from "../../addr.ts";
import { escapeControls } from "../../escape.ts";
import type { RateSearchResult, RateTrial } from "../../measure/search.ts";
import { percent } from "./summary.ts";
import { formatBits } from "./traffic.ts";

const UDP_HEADER = 8;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;

const OUTCOMES: Readonly<Record<RateTrial["outcome"], string>> = {
  passed: "passed",
  lost: "too much lost",
  queue: "a queue grows",
  late: "the sender is too slow",
};

/** Writes a trial as a line. */
export function describeTrial(
  { rate, durationMs, confirms, sent, received, outcome }: RateTrial,
): string {
  const lost = sent - received;
  const what = confirms ? "confirm" : "try";
  return `${what.padEnd(8)}${perSecond(rate).padStart(11)} for ${
    (durationMs / 1000).toFixed(1)
  } s: sent ${sent}, lost ${lost} (${percent(lost, sent)}): ${
    OUTCOMES[outcome]
  }`;
}

/** Writes the result of a search as lines. */
export function describeSearch(
  result: RateSearchResult,
  to: SchemeAddr,
): string[] {
  const { rate, size, confirmed, upper, limit, bitsPerSecond } = result;
  const name = escapeControls(result.to);
  if (rate === 0) return [`${name}: no rate passed`];
  const known = confirmed ? "confirmed" : "not confirmed";
  const next = upper === undefined
    ? "no higher rate was tried"
    : limit === "sender"
    ? `at ${perSecond(upper)} the sender was too slow`
    : `not ${perSecond(upper)}`;
  const lines = [
    `${name}: ${perSecond(rate)} (${known}; ${next})`,
    `${formatBits(bitsPerSecond)} in datagrams of ${bytes(size)} bytes`,
  ];
  if (schemeOf(to) !== "udp") return lines;
  const headers = UDP_HEADER +
    (/\[/.test(result.to) ? IPV6_HEADER : IPV4_HEADER);
  const withHeaders = formatBits(rate * (size + headers) * 8);
  return [...lines, `${withHeaders} with IP and UDP headers`];
}

function perSecond(rate: number): string {
  return `${Number(rate.toPrecision(5))}/s`;
}

function bytes(size: number): string {
  return `${Number(size.toFixed(1))}`;
}
