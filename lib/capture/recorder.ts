import type { Addr } from "../addr.ts";
import type { Message, Sink } from "../sink.ts";
import { requireOptions } from "../check.ts";
import { toAddress } from "../address/address.ts";
import { received } from "./received.ts";
import {
  openRecording,
  type Recording,
  type RecordingOptions,
} from "./recording.ts";

/** How a recorder records. */
export interface RecorderOptions extends RecordingOptions {
  /** The address of the socket that receives the messages: their receiver. */
  to: string | Addr;
}

/**
 * Returns a sink, named `record`, that writes the messages of a collector to a new
 * capture file; see {@linkcode openRecording}. Times are those of the messages, to
 * the millisecond. The receiver of each is the socket's own address, which may be
 * `0.0.0.0`. A message that was truncated has a comment that says so.
 *
 * @throws What `openRecording` throws.
 * @throws {InvalidAddressError} `to` is not an address.
 */
export async function openRecorder(
  path: string,
  options: RecorderOptions,
): Promise<Sink> {
  requireOptions("record", options);
  const { to, ...others } = options ?? {};
  const address = toAddress(to);
  return new Recorder(await openRecording(path, others), address);
}

class Recorder implements Sink {
  readonly name = "record";
  readonly #recording: Recording;
  readonly #to: Addr;
  #unreadable = 0;

  constructor(recording: Recording, to: Addr) {
    this.#recording = recording;
    this.#to = to;
  }

  get stats(): Record<string, number> {
    const { lost, ...stats } = this.#recording.stats;
    return { ...stats, lost: lost + this.#unreadable };
  }

  write(messages: readonly Message[]): void {
    let failed: { error: unknown } | undefined;
    for (const { datagram, time } of messages) {
      try {
        this.#recording.record(received(datagram, time, this.#to));
      } catch (error) {
        // Another sink may have changed it; the others go on.
        this.#unreadable++;
        failed ??= { error };
      }
    }
    if (failed !== undefined) throw failed.error;
  }

  flush(): Promise<void> {
    return this.#recording.flush();
  }

  close(limit?: AbortSignal): Promise<void> {
    return this.#recording.close(limit);
  }
}
