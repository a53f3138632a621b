import type { NetAddr } from "../../addr.ts";
import { errors } from "../../errors.ts";
import { globals } from "../../runtime.ts";
import { setLeaving } from "../leaving.ts";
import { controlOf } from "./control.ts";
import { meaningOf } from "./failures.ts";
import { createSocket, type Sender, type Socket } from "./module.ts";
import { requireRealHops, type Settings } from "./options.ts";

// How often another free port is tried on Bun.
const MAX_TRIES = 32;

/** What a socket calls. */
export interface Listeners {
  message(data: Uint8Array, from: Sender): void;
  error(error: unknown): void;
  close(): void;
}

/** A socket that is bound. */
export interface Bound {
  readonly socket: Socket;
  readonly addr: NetAddr;
  /** On Bun: resolves when its options are set, rejects if one cannot be. */
  readonly opened: Promise<void> | undefined;
}

/**
 * Opens a socket at an IP address, which is bound when this returns.
 *
 * @throws As Deno's own sockets do.
 */
export function openBound(
  hostname: string,
  port: number,
  settings: Settings,
  listeners: Listeners,
): Bound {
  if (globals.Bun === undefined || port !== 0) {
    return bind(hostname, port, settings, listeners);
  }
  // On Bun a socket of node:dgram tells its port only later.
  for (let tries = 1;; tries++) {
    try {
      return bind(hostname, freePort(hostname), settings, listeners);
    } catch (error) {
      // Another program was faster.
      const isTaken = error instanceof errors.AddrInUse;
      if (!isTaken || tries === MAX_TRIES) throw error;
    }
  }
}

function bind(
  address: string,
  port: number,
  settings: Settings,
  listeners: Listeners,
): Bound {
  const { reuseAddress, receiveBuffer, sendBuffer } = settings;
  const { ipv6Only, reusePort } = settings;
  if (address.includes(":")) requireRealHops(settings);
  const socket = createSocket({
    type: address.includes(":") ? "udp6" : "udp4",
    ...(reuseAddress !== undefined && { reuseAddr: reuseAddress }),
    ...(ipv6Only !== undefined && { ipv6Only }),
    ...(reusePort !== undefined && { reusePort }),
    ...(receiveBuffer !== undefined && { recvBufferSize: receiveBuffer }),
    ...(sendBuffer !== undefined && { sendBufferSize: sendBuffer }),
  });
  const listening = Promise.withResolvers<void>();
  listening.promise.catch(() => {});
  let isListening = false;
  let failed: { readonly error: unknown } | undefined;
  const fail = (error: unknown) => {
    failed ??= { error };
    listening.reject(meaningOf(error));
  };
  socket.on("error", (error) => {
    if (isListening) listeners.error(error);
    else fail(error);
  });
  socket.on("message", listeners.message);
  socket.on("close", listeners.close);
  socket.on("listening", () => {
    isListening = true;
    try {
      prepare(socket, settings);
      listening.resolve();
    } catch (error) {
      fail(error);
    }
  });
  // The carrier decides what keeps the program running.
  socket.unref();
  try {
    socket.bind({ port, address, exclusive: true });
  } catch (error) {
    fail(error);
  }
  if (failed !== undefined) {
    discard(socket);
    throw meaningOf(failed.error);
  }
  const local = isListening ? socket.address() : { address, port };
  return {
    socket,
    addr: { transport: "udp", hostname: local.address, port: local.port },
    opened: isListening ? undefined : listening.promise,
  };
}

/** Sets what can be set on a socket that is bound. */
function prepare(socket: Socket, settings: Settings): void {
  const control = controlOf(socket);
  // As Deno's own sockets.
  control.setBroadcast?.(true);
  setLeaving(control, settings);
}

/** Returns a port that was free a moment ago. */
function freePort(hostname: string): number {
  const { peek, udpSocket } = globals.Bun!;
  try {
    const probe = peek(udpSocket({ hostname, port: 0, socket: {} }));
    if (probe instanceof Promise) {
      probe.then((socket) => socket.close(), () => {});
      throw new errors.NotSupported("Bun did not open a socket at once");
    }
    const { port } = probe.address;
    probe.close();
    return port;
  } catch (error) {
    throw meaningOf(error);
  }
}

/** Closes a socket that nobody uses. */
function discard(socket: Socket): void {
  try {
    socket.close();
  } catch {
    // It was not open.
  }
}
