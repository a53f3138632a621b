import type { Message, Sink } from "../sink.ts";
import { type FormatName, formatter } from "./format.ts";
import { Output } from "./output.ts";

/** Prints messages on standard output. If its reader is slow, the collector waits. */
export class Printer implements Sink {
  readonly name = "output";
  readonly #format: ReturnType<typeof formatter>;
  readonly #output = new Output();
  #written = 0;

  constructor(format: FormatName) {
    this.#format = formatter(format);
  }

  get stats(): { written: number } {
    return { written: this.#written };
  }

  write(messages: readonly Message[]): Promise<void> | undefined {
    let full: Promise<void> | undefined;
    for (const { datagram, time } of messages) {
      full = this.#output.write(this.#format(datagram, time));
    }
    this.#written += messages.length;
    return full;
  }

  flush(): Promise<void> {
    return this.#output.flush();
  }

  close(): Promise<void> {
    return this.flush();
  }
}
