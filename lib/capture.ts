/**
 * Capture files: reads the UDP datagrams of pcap and pcapng files, and records
 * datagrams as pcapng, and replays them on a simulated network.
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
export {
  replay,
  type ReplayNetwork,
  type ReplayOptions,
} from "./capture/replay.ts";
export type { Replayable, ReplayStats } from "./capture/player.ts";
export { openRecorder, type RecorderOptions } from "./capture/recorder.ts";
export {
  openRecording,
  type Recording,
  type RecordingOptions,
  type RecordingStats,
} from "./capture/recording.ts";
export { type CaptureStats } from "./capture/stats.ts";
export {
  encodeTrace,
  type TracedDatagram,
  type TraceOptions,
} from "./capture/trace.ts";
export type { Message, Sink } from "./sink.ts";
export type { Addr, NetAddr } from "./addr.ts";
