/**
 * Capture files: reads the UDP datagrams of pcap and pcapng files, and writes
 * pcapng.
 *
 * @module
 */
export { type CaptureInput } from "./capture/byte_reader.ts";
export {
  CaptureEncoder,
  type DatagramToWrite,
  type EncoderOptions,
  type EncoderStats,
} from "./capture/encoder.ts";
export {
  type Capture,
  type CapturedDatagram,
  CaptureError,
  readCapture,
} from "./capture/reader.ts";
export { type CaptureStats } from "./capture/stats.ts";
export type { Addr, NetAddr } from "./addr.ts";
