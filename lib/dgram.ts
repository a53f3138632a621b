/**
 * The interface of `node:dgram` over the carriers of this library. On Deno it is
 * a drop-in that behaves as Node's own does, over Deno's own UDP.
 *
 * @module
 *
 * @example
 * ```ts
 * import dgram from "@pli/datagram/dgram";
 *
 * const socket = dgram.createSocket("udp4", (message, { address, port }) => {
 *   console.log(`${message} from ${address}:${port}`);
 *   socket.close();
 * });
 * socket.bind(0, "127.0.0.1", () => {
 *   socket.send("Bonjour", socket.address().port, "127.0.0.1");
 * });
 * ```
 */
import { makeDgram } from "./dgram/module.ts";
import { realGround } from "./dgram/real_ground.ts";
import type { DgramModule, SocketClass, UdpSocket } from "./dgram/types.ts";

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
} from "./dgram/types.ts";

const real: DgramModule = makeDgram(realGround);

/** Makes a socket, as `createSocket` of `node:dgram`. */
export const createSocket: DgramModule["createSocket"] = real.createSocket;
/** A UDP socket, as `Socket` of `node:dgram`. */
export type Socket = UdpSocket;
/** The class of sockets, as `Socket` of `node:dgram`. */
export const Socket: SocketClass = real.Socket;

/** All of it, as the default export of `node:dgram`. */
const all: DgramModule = { createSocket, Socket };
export default all;
