import type { NetAddr } from "../addr.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Endpoints } from "./endpoints.ts";
import { FateLog } from "./fate_log.ts";
import type { Ledger } from "./ledger.ts";
import { flipBit } from "./link.ts";
import type { TraceEntry } from "./network_types.ts";
import type { Path, Paths } from "./paths.ts";
import { OVERHEAD_BYTES, Room } from "./room.ts";
import { Rules } from "./rules.ts";
import type { VirtualClock } from "./virtual_clock.ts";

// How many datagrams leave at one moment of virtual time, at most: without that,
// a program that sends without end would stop the time, and the event loop.
const BURST = 256;
// What may be in flight.
const MAX_BYTES = 64 * 1024 * 1024;

/** Carries datagrams over the paths of a network, each with its fate. */
export class Transit {
  readonly rules: Rules<Path> = new Rules();
  readonly fates: FateLog = new FateLog();
  readonly #room = new Room(MAX_BYTES);
  readonly #clock: VirtualClock;
  readonly #paths: Paths;
  readonly #ledger: Ledger;
  #burstAt = 0;
  #burst = 0;

  constructor(clock: VirtualClock, paths: Paths, ledger: Ledger) {
    this.#clock = clock;
    this.#paths = paths;
    this.#ledger = ledger;
  }

  /**
   * Sends a datagram to its receiver, or to each host that is in a group.
   *
   * @returns A pause before the next, if this is the last of a burst.
   */
  carry(
    endpoints: Endpoints,
    from: Endpoint,
    to: NetAddr,
    data: Uint8Array,
  ): Promise<void> | undefined {
    const members = endpoints.members(to, from);
    if (members.length === 0) return this.#carry(endpoints, from, to, data);
    let pause: Promise<void> | undefined;
    for (
      const hostname of new Set(members.map(({ source }) => source.hostname))
    ) {
      const host = { ...to, hostname };
      pause = this.#carry(endpoints, from, host, data, to) ?? pause;
    }
    return pause;
  }

  /** @param group The group that it is sent to, of which the host has members. */
  #carry(
    endpoints: Endpoints,
    from: Endpoint,
    to: NetAddr,
    data: Uint8Array,
    group?: NetAddr,
  ): Promise<void> | undefined {
    const path = this.#paths.between(from.source, to);
    // The network has not changed yet: a rule may throw, or send by itself.
    const decision = this.rules.ask(path, { ...path, data });
    const ruled = decision !== undefined;
    const bytes = decision?.data ?? data;
    const now = this.#clock.now();
    const passages = path.link.cross(bytes.length, now, decision);
    const receivers = (): Endpoint[] => {
      if (group === undefined) {
        const receiver = endpoints.at(path.to);
        return receiver === undefined ? [] : [receiver];
      }
      return endpoints.members(group, from).filter(({ source }) =>
        source.hostname === to.hostname
      );
    };
    path.sent++;
    this.fates.add(path, now, passages, decision);
    const { stats } = this.#ledger;
    stats.sent++;
    stats.duplicated += passages.length - 1;
    for (const [index, { fate, at, ...marks }] of passages.entries()) {
      const { flippedBit } = marks;
      const isFlipped = fate === "passed" && flippedBit !== undefined;
      const copy = isFlipped ? flipBit(bytes, flippedBit) : bytes;
      const event = this.#ledger.depart(path, copy, {
        ...marks,
        ruled,
        copy: index > 0,
        sent: now,
      });
      const end = (fate: TraceEntry["fate"]) =>
        this.#ledger.arrive(event, fate);
      if (fate === "dropped") end(fate);
      else if (this.#paths.isParted(path)) end("partitioned");
      else if (fate !== "passed") end(fate);
      else if (!this.#room.take(bytes.length + OVERHEAD_BYTES)) {
        end("queueFull");
      } else {
        this.#clock.after(at - now, () => {
          this.#room.free(copy.length + OVERHEAD_BYTES);
          end(this.#deliver(endpoints, path, copy, receivers()));
        });
      }
    }
    return this.#pause(now);
  }

  /** Returns a pause of 1 ms after each burst that is sent at one moment. */
  #pause(now: number): Promise<void> | undefined {
    if (now !== this.#burstAt) {
      this.#burstAt = now;
      this.#burst = 0;
    }
    if (++this.#burst % BURST > 0) return undefined;
    return new Promise((go) => void this.#clock.after(1, go));
  }

  #deliver(
    endpoints: Endpoints,
    path: Path,
    data: Uint8Array,
    receivers: readonly Endpoint[],
  ): TraceEntry["fate"] {
    if (this.#paths.isParted(path)) return "partitioned";
    if (receivers.length === 0) {
      return endpoints.isUp(path.to.hostname) ? "unreachable" : "crashed";
    }
    const { queue } = path.faults;
    const taken = receivers.filter((one) =>
      one.deliver(data, path.from, queue)
    );
    return taken.length > 0 ? "delivered" : "queueFull";
  }
}
