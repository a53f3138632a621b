import type { Addr, NetAddr } from "../addr.ts";
import { formatAddress } from "../address/address.ts";
import { manyAt } from "../address/peer.ts";
import type { Carrier } from "../carrier.ts";
import { wrongType } from "../check.ts";
import type { Clock } from "../clock.ts";
import type { Datagram } from "../datagram.ts";
import {
  cannot,
  fieldsOf,
  InvalidAddressError,
  withFields,
} from "../errors.ts";
import { Gathering, type GatherOptions } from "./gather.ts";
import { dueTurn } from "../turns.ts";
import type { Inbox } from "./inbox.ts";
import type { Data } from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import { request as requestOf, type RequestOptions } from "./request.ts";
import { Target } from "./target.ts";

export type { GatherOptions } from "./gather.ts";

// A list that never ends must not fill the memory.
const MAX_ADDRESSES = 65_536;

/** What a question to other peers needs of its socket. */
export interface Asker<A extends Addr> {
  readonly carrier: Carrier;
  readonly local: Addr;
  readonly inbox: Inbox<A>;
  readonly outbox: Outbox;
  readonly clock: Clock;
}

/** Asks one peer, and returns its reply. */
export async function request<A extends Addr>(
  asker: Asker<A>,
  data: Data,
  to: string | Addr,
  options: RequestOptions<A> | undefined,
): Promise<Datagram<A>> {
  const { inbox, outbox, clock, local } = asker;
  let target: Target;
  try {
    target = targetOf(asker, to);
    requireOne(target.to, local);
  } catch (error) {
    await dueTurn(clock);
    throw error;
  }
  const remote = target.to;
  const attempt = {
    action: `request from ${formatAddress(remote)}`,
    ...{ local, remote },
  };
  const send = () => outbox.send(data, target.to);
  const { random } = outbox;
  const requester = { inbox, clock, random, target, attempt, send };
  return await requestOf(requester, options);
}

/** @throws {InvalidAddressError} An address is not that of one peer. */
function requireOne(remote: Addr, local: Addr): void {
  const many = "hostname" in remote ? manyAt(remote.hostname) : undefined;
  if (many === undefined) return;
  const wanted = `it is ${many}; request needs one peer, gather asks many`;
  throw withFields(
    new InvalidAddressError(formatAddress(remote), wanted),
    { operation: "request", local, remote },
  );
}

/** Asks many, and iterates over their replies. */
export function gather<A extends Addr = NetAddr>(
  asker: Asker<A>,
  data: Data,
  to: string | Addr | Iterable<string | Addr>,
  options: GatherOptions<A> | undefined,
): AsyncIterableIterator<Datagram<A>> {
  const { outbox: { messages }, local } = asker;
  const attempt = { action: `gather on ${formatAddress(local)}`, local };
  const targets: Target[] = [];
  for (const one of addressesIn(to)) {
    if (targets.length === MAX_ADDRESSES) {
      const why = `to must be at most ${MAX_ADDRESSES} addresses: given more`;
      throw withFields(new RangeError(cannot(attempt, why)), fieldsOf(attempt));
    }
    targets.push(targetOf(asker, one));
  }
  if (targets.length === 0) {
    throw wrongType(attempt, "to", "at least one address", to);
  }
  for (const { to } of targets) messages.prepare(data, to);
  return new Gathering(asker, attempt, { data, targets }, options);
}

function targetOf<A extends Addr>(
  { carrier, outbox }: Asker<A>,
  to: string | Addr,
): Target {
  return new Target(carrier, outbox, outbox.messages.destination(to));
}

function addressesIn(
  to: string | Addr | Iterable<string | Addr>,
): Iterable<string | Addr> {
  return typeof to === "object" && to !== null && Symbol.iterator in to
    ? to
    : [to];
}
