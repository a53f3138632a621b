/**
 * Datagrams in Deno: bind, receive, send and close. No datagram is lost silently.
 *
 * {@linkcode bind} opens a socket for many peers, {@linkcode connect} a socket
 * for one peer, and {@linkcode serve} runs a handler for each datagram. Beneath
 * them is a carrier, the transport: Deno's own UDP, unix sockets, or any other
 * {@linkcode Carrier}.
 *
 * ```ts
 * import { bind, connect } from "@pli/datagram";
 *
 * await using socket = bind("udp://127.0.0.1:0");
 * await using client = await connect(socket.addr);
 *
 * await client.send("Bonjour je vous envoi un message !");
 * const datagram = await socket.receive({ timeoutMs: 1000 });
 * await socket.send(`reçu : ${datagram.text()}`, datagram.from);
 * console.log((await client.receive()).text());
 * ```
 *
 * @module
 */
export type { AnswerOptions } from "./lib/limits/answers.ts";
export type {
  Addr,
  NetAddr,
  Scheme,
  SchemeAddr,
  UnixAddr,
  VsockAddr,
} from "./lib/addr.ts";
export { formatAddress, parseAddress } from "./lib/address/address.ts";
export { BaseSocket } from "./lib/socket/base_socket.ts";
export type { BatchOptions } from "./lib/socket/batches.ts";
export type {
  Carrier,
  CarrierMembership,
  CarrierSource,
  DialOptions,
  Metadata,
  Outgoing,
  Run,
  SentBatch,
} from "./lib/carrier.ts";
export type {
  BufferKind,
  CarrierControl,
  ListenOptions,
} from "./lib/control.ts";
export type { Clock } from "./lib/clock.ts";
export { ConnectedSocket } from "./lib/socket/connected_socket.ts";
export { Datagram } from "./lib/datagram.ts";
export { dgram, type DgramOptions } from "./lib/carriers/dgram.ts";
export { DatagramSocket } from "./lib/socket/datagram_socket.ts";
export {
  type ErrorClass,
  type ErrorName,
  errors,
  InvalidAddressError,
  MessageTooLargeError,
  type OperationFields,
  SocketClosedError,
} from "./lib/errors.ts";
export { escapeControls } from "./lib/escape.ts";
export type { GuardOptions } from "./lib/limits/guard.ts";
export type {
  MulticastMembership,
  MulticastOptions,
} from "./lib/socket/multicast.ts";
export {
  bind,
  type BindOptions,
  connect,
  type ConnectOptions,
} from "./lib/open.ts";
export type {
  DatagramSocketOptions,
  SocketOptions,
} from "./lib/socket/options.ts";
export type { Data } from "./lib/socket/messages.ts";
export type { Rate } from "./lib/limits/rate.ts";
export { ReceivedRun } from "./lib/run.ts";
export type { RunOptions } from "./lib/socket/run_iteration.ts";
export type { Backoff } from "./lib/socket/backoff.ts";
export type { GatherOptions } from "./lib/socket/gather.ts";
export type { RequestOptions } from "./lib/socket/request.ts";
export type { SendOptions } from "./lib/socket/send_limits.ts";
export type { Addressed } from "./lib/socket/send_many.ts";
export {
  type Answer,
  type DatagramHandler,
  type DatagramServer,
  serve,
  type ServeOptions,
} from "./lib/serve.ts";
export type { SocketStats } from "./lib/socket/stats.ts";
export type { WaitOptions } from "./lib/socket/waits.ts";
export { traced } from "./lib/carriers/traced.ts";
