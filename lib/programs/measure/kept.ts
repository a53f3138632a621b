import type { CaptureFile } from "../../capture/capture_file.ts";
import { systemClock } from "../../clock.ts";
import { quote } from "../../errors.ts";
import { Histogram } from "../../measure/histogram.ts";
import type { MeasuredPacket, MeasureResult } from "../../measure/result.ts";
import { settles } from "../../socket/peer_lines.ts";
import { reasonOf } from "../../warnings.ts";
import { say } from "../program.ts";
import { createNew } from "./new_file.ts";
import { PacketFile } from "./packet_file.ts";
import { plot } from "./plot.ts";
import { TimeBins } from "./time_bins.ts";

// How long the end waits for a disk that hangs.
const WRITE_MS = 3000;

/** What is kept of each question, in bounded memory, and in files. */
export class Kept {
  /** The round trips. */
  readonly delays: Histogram = new Histogram();
  readonly #bins = new TimeBins();
  readonly #packets: PacketFile | undefined;
  readonly #plot: { path: string; file: CaptureFile } | undefined;
  readonly #paths: readonly string[];

  private constructor(
    packets: PacketFile | undefined,
    plot: { path: string; file: CaptureFile } | undefined,
    paths: readonly string[],
  ) {
    this.#packets = packets;
    this.#plot = plot;
    this.#paths = paths;
  }

  /**
   * Creates the files, so that a measurement is not made in vain.
   *
   * @throws {Error} One exists, or cannot be created.
   */
  static async open(
    { packets, plot }: {
      packets: string | undefined;
      plot: string | undefined;
    },
  ): Promise<Kept> {
    const file = plot === undefined ? undefined : {
      path: plot,
      file: await createNew("plot", plot),
    };
    try {
      return new Kept(
        packets === undefined ? undefined : await PacketFile.create(packets),
        file,
        [packets, plot].filter((path) => path !== undefined),
      );
    } catch (error) {
      await file?.file.close();
      await removeAll(file === undefined ? [] : [file.path]);
      throw error;
    }
  }

  /** Takes a question when its fate is known. */
  add(packet: MeasuredPacket): void {
    const { plannedMs, receivedMs, fate } = packet;
    const delay = fate === "answered" && receivedMs !== undefined
      ? receivedMs - plannedMs
      : undefined;
    if (delay !== undefined) this.delays.record(delay);
    this.#bins.add(plannedMs, delay);
    this.#packets?.add(packet);
  }

  /**
   * Writes the plot, and closes the files. Failures are said.
   *
   * @param result Without one nothing was measured, and the files are removed.
   */
  async close(result: MeasureResult | undefined): Promise<void> {
    if (this.#plot !== undefined) {
      const { path, file } = this.#plot;
      const writing = this.#draw(file, result).catch((error) =>
        say(`Cannot write --plot ${quote(path)}: ${reasonOf(error)}`)
      );
      await settles(writing, WRITE_MS, systemClock);
    }
    await this.#packets?.close();
    if (result === undefined) await removeAll(this.#paths);
  }

  /** Describes what is in the file of packets, if there is one. */
  get totals(): string | undefined {
    return this.#packets?.totals;
  }

  async #draw(
    file: CaptureFile,
    result: MeasureResult | undefined,
  ): Promise<void> {
    try {
      if (result === undefined) return;
      const { delays } = this;
      const bins = this.#bins.all();
      const image = plot({ result, delays, bins, binMs: this.#bins.widthMs });
      await file.add(new TextEncoder().encode(image));
    } finally {
      await file.close();
    }
  }
}

/** Removes files that were created in vain, as far as that is possible. */
async function removeAll(paths: readonly string[]): Promise<void> {
  await Promise.allSettled(paths.map((path) => Deno.remove(path)));
}
