/**
 * A stand-in for `node:dgram` whose sockets are on the network inside
 * `network.run` with `{ dgram: true }`, and are the platform's own outside. For
 * the import map of a test on Deno, where nothing else reaches
 * `import { createSocket } from "node:dgram"`.
 *
 * @module
 */
import type {
  DgramModule,
  MessageListener,
  SocketClass,
  SocketOptions,
  SocketType,
  UdpSocket,
} from "../dgram/types.ts";
import { builtin } from "../runtime.ts";
import { switchClass } from "./virtual/dgram_members.ts";

export type {
  AddressInfo,
  AddressList,
  BindOptions,
  Bytes,
  DgramModule,
  Lookup,
  MessageListener,
  Payload,
  RemoteInfo,
  Sent,
  SocketClass,
  SocketEvents,
  SocketOptions,
  SocketType,
  UdpSocket,
} from "../dgram/types.ts";

// Its members are looked up at each use: a run replaces them.
const dgram = () => builtin<DgramModule>("node:dgram");

/** As `createSocket` of `node:dgram`. */
export function createSocket(
  type: SocketType | SocketOptions,
  listener?: MessageListener,
): UdpSocket {
  return dgram().createSocket(type, listener);
}

/** As `Socket` of `node:dgram`. */
export type Socket = UdpSocket;

/** As `Socket` of `node:dgram`. */
export const Socket: SocketClass = switchClass(dgram().Socket) as SocketClass;

/** Both, as the default export of `node:dgram`. */
const all: DgramModule = { createSocket, Socket };
export default all;
