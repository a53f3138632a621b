// The roles that sockets of this library play in the same way over any carrier.
import {
  type BatchOptions,
  bind,
  type CarrierSource,
  connect,
  type ConnectedSocket,
  type DatagramSocket,
} from "../../mod.ts";
import { at, portOf } from "../lib/datagrams.ts";
import {
  type Args,
  counted,
  HOSTS,
  hostsInTurn,
  listening,
  report,
  RoundTrips,
  take,
} from "./meter.mjs";

// Sent by one call at most.
const AT_ONCE = 1024;

/** How a program opens its sockets. */
export interface Sockets {
  /** Binds a socket and prints its port. */
  listen(): Promise<DatagramSocket>;
  /** Connects a socket to a port of this machine. */
  dial(port: number): Promise<ConnectedSocket>;
}

/** Opens sockets over UDP, by Deno's own or by another carrier. */
export function udpSockets(options: { carrier?: CarrierSource } = {}): Sockets {
  return {
    listen() {
      const socket = bind("udp://127.0.0.1:0", options);
      listening(portOf(socket));
      return Promise.resolve(socket);
    },
    dial: (port) => connect(at(port), options),
  };
}

/** Makes the roles that need nothing but these sockets. */
export function socketRoles({ listen, dial }: Sockets) {
  return {
    async receive({ seconds }: Args) {
      const socket = await listen();
      report(seconds);
      for await (const { data } of socket) {
        counted.datagrams++;
        counted.bytes += data.length;
      }
    },
    async echo() {
      const socket = await listen();
      for (;;) {
        const { data, from } = await socket.receive();
        await socket.send(data, from);
      }
    },
    async ping({ data, seconds, port }: Args) {
      const socket = await dial(port);
      const trips = new RoundTrips(seconds);
      do {
        await socket.send(data);
        await socket.receive();
      } while (trips.next());
    },
  };
}

/** Makes the roles that have 1,000 peers, each at a host of its own. */
export function manyRoles(options: { carrier?: CarrierSource } = {}) {
  return {
    async "receive-many"({ seconds }: Args) {
      const socket = bind("udp://0.0.0.0:0", options);
      listening(portOf(socket));
      report(seconds);
      for await (const { data, from } of socket) take(data, from.hostname);
    },
    async "to-many"({ data, size, seconds, port }: Args) {
      const socket = bind("udp://0.0.0.0:0", options);
      const messages = HOSTS.map((hostname) => ({
        data,
        to: { transport: "udp", hostname, port } as const,
      }));
      report(seconds);
      for (;;) {
        const sent = await socket.sendMany(messages);
        counted.datagrams += sent;
        counted.bytes += sent * size;
      }
    },
  };
}

/** Sends to hosts in turn, at an even rate. */
export function paced(options: { carrier?: CarrierSource } = {}) {
  return async (args: Args) => {
    const { data, size, seconds, port, perSecond } = args;
    const socket = bind("udp://0.0.0.0:0", options);
    const to = hostsInTurn(args.hosts).map((hostname) => ({
      ...{ transport: "udp", hostname, port } as const,
    }));
    report(seconds);
    const start = performance.now();
    for (let sent = 0;;) {
      const elapsed = (performance.now() - start) / 1000;
      const due = perSecond === 0 ? Infinity : elapsed * perSecond - sent;
      const count = Math.min(Math.floor(due), AT_ONCE);
      const messages = Array.from(
        { length: count },
        () => ({ data, to: to[sent++ % to.length]! }),
      );
      if (count === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      else await socket.sendMany(messages);
      counted.datagrams += count;
      counted.bytes += count * size;
    }
  };
}

/** Receives from many hosts in batches. */
export function batchesOfMany(
  options: { carrier: CarrierSource },
  batchOptions: BatchOptions,
) {
  return async ({ seconds }: Args) => {
    const socket = bind("udp://0.0.0.0:0", options);
    listening(portOf(socket));
    report(seconds);
    for await (const batch of socket.batches(batchOptions)) {
      for (const { data, from } of batch) take(data, from.hostname);
    }
  };
}
