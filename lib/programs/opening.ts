import { formatAddress } from "../address/address.ts";
import { traced } from "../carriers/traced.ts";
import { systemClock } from "../clock.ts";
import { bind } from "../open.ts";
import type { CollectorStats } from "../sink.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { settles } from "../socket/peer_lines.ts";
import { serverCarrier } from "./carriers.ts";
import { isReplying, type ServerSettings } from "./server_settings.ts";
import {
  openSinks,
  type ServerSinks,
  type Surroundings,
} from "./server_sinks.ts";
import { NO_STATS } from "./totals.ts";
import { receiveUnread, withUnread } from "./unread.ts";

// How long it waits for what it gives up.
const GIVE_UP_MS = 500;

/** A server that is opened: its socket, then its sinks, which may take long. */
export class Opening {
  /** Resolves when everything is open. */
  readonly done: Promise<ServerSinks & { socket: DatagramSocket }>;
  #socket: DatagramSocket | undefined;

  constructor(
    settings: ServerSettings,
    surroundings: Pick<Surroundings, "stats" | "warn">,
  ) {
    this.done = this.#open(settings, surroundings);
  }

  async #open(
    settings: ServerSettings,
    surroundings: Pick<Surroundings, "stats" | "warn">,
  ) {
    const { address, carrier: given, socket: limits, trace, quiet } = settings;
    const { carrier, own } = await serverCarrier(
      given,
      { maxSize: limits.maxSize, replies: isReplying(settings), quiet },
    );
    const socket = bind(formatAddress(address), {
      ...limits,
      carrier: trace ? traced(carrier) : carrier,
    });
    this.#socket = socket;
    try {
      await socket.opened;
      const sinks = await openSinks(settings, { ...surroundings, socket, own });
      return { ...sinks, socket };
    } catch (error) {
      await socket[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Closes what is open, and what is opened within half a second. Messages that
   * have arrived are counted as dropped: no sink was there for them.
   */
  async giveUp(): Promise<CollectorStats> {
    const socket = this.#socket;
    const unread = socket && await receiveUnread(socket);
    const kernelDrops = await socket?.kernelDrops();
    const closing = this.done.then(({ sinks }) =>
      Promise.all(sinks.map((sink) => sink.close()))
    );
    await settles(closing, GIVE_UP_MS, systemClock);
    socket?.close();
    const stats = {
      ...socket?.stats ?? NO_STATS,
      ...(kernelDrops !== undefined && { kernelDrops }),
      sinks: {},
    };
    return unread === undefined ? stats : withUnread(stats, unread);
  }
}
