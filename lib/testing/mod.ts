/**
 * The test harness for programs that speak UDP: a network with packet loss and
 * other faults, simulated or on real sockets.
 *
 * @module
 */
export {
  type Certificate,
  type CertificateOptions,
  makeCertificate,
} from "./certificate.ts";
export type { Delay, DelaySample } from "./delays.ts";
export type { Arrival, Fate } from "./fates.ts";
export type { Burst, Faults } from "./faults.ts";
export type { HostOptions, SimulatedHost } from "./hosts.ts";
export { simulateNetwork } from "./network.ts";
export type {
  DiagramOptions,
  NetworkOptions,
  RunOptions,
} from "./network_options.ts";
export type {
  NetworkStats,
  SimulatedNetwork,
  TraceEntry,
} from "./network_types.ts";
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
export type { Direction } from "./paths.ts";
export type { Rule, RuledDatagram, Verdict } from "./rules.ts";
export { FailingSeedError } from "./search/report.ts";
export type { SearchOptions } from "./search/options.ts";
export type { Program } from "./search/attempt.ts";
export { searchSeeds } from "./search/search.ts";
export { startRelay } from "./relay.ts";
export type { RelayFate } from "./relay_fate.ts";
export type { Relay, RelayOptions, RelayStats } from "./relay_types.ts";
export type { DirectionStats } from "./direction_stats.ts";
export { carrierContract, type ContractOptions } from "./contract.ts";
export { type TestOptions, withServer, withSockets } from "./with_server.ts";
