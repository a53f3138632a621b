import { formatAddress } from "../address/address.ts";
import { traced } from "../carriers/traced.ts";
import { count } from "../count.ts";
import { SocketClosedError } from "../errors.ts";
import { connect } from "../open.ts";
import type { ConnectedSocket } from "../socket/connected_socket.ts";
import { reasonOf, Warnings } from "../warnings.ts";
import { clientCarrier } from "./carriers.ts";
import type { ClientSettings } from "./client_options.ts";
import { formatter } from "./format.ts";
import { type InputMessages, inputMessages } from "./input.ts";
import { Output } from "./output.ts";
import { pace } from "./pace.ts";
import { say } from "./program.ts";
import { describeReceived, describeSent, NO_STATS } from "./totals.ts";

/** Sends the client's messages, and prints the replies. */
export class Exchange {
  /** How many messages were not sent, of those that the socket was not given too. */
  unsent = 0;
  /** How many messages got no reply in time. */
  unanswered = 0;
  readonly #settings: ClientSettings;
  readonly #limit: number;
  readonly #warnings = new Warnings();
  readonly #output = new Output();
  readonly #format: ReturnType<typeof formatter>;
  #input: InputMessages | undefined;
  #socket: ConnectedSocket | undefined;
  // How many times the message in hand is still to be sent.
  #pending = 0;

  /** @param limit The longest message, in bytes. */
  constructor(settings: ClientSettings, limit: number) {
    this.#settings = settings;
    this.#limit = limit;
    this.#format = formatter(settings.format);
  }

  /**
   * Reads the messages, connects, and sends them.
   *
   * @param signal When it aborts, what has begun is given up. Reading a file or
   * standard input goes on: that cannot be interrupted.
   * @throws The input cannot be read, or the socket not be opened.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { carrier, remote, trace } = this.#settings;
    const input = await inputMessages({
      ...this.#settings,
      limit: this.#limit,
    });
    this.#input = input;
    const source = await clientCarrier(carrier);
    await using socket = await connect(formatAddress(remote), {
      carrier: trace ? traced(source) : source,
      // An echo of the longest message is not cut.
      maxSize: this.#limit,
      signal,
    });
    this.#socket = socket;
    signal.addEventListener("abort", () => socket.close());
    await this.#sendAll(socket, input);
  }

  /** Resolves when the socket is closed. */
  async close(): Promise<void> {
    await this.#socket?.[Symbol.asyncDispose]();
  }

  /** Describes how far it is, for a progress line. */
  get progress(): string {
    const { remote } = this.#settings;
    return this.#socket === undefined
      ? `connecting to ${formatAddress(remote)}`
      : this.totals;
  }

  /** Describes what was sent and received. */
  get totals(): string {
    const stats = this.#socket?.stats ?? NO_STATS;
    const parts = [describeSent(stats)];
    if (this.#settings.wait) parts.push(describeReceived(stats));
    if (this.unanswered > 0) parts.push(`${this.unanswered} without a reply`);
    return parts.join("; ");
  }

  /** Describes what has been read and not sent, if there is something. */
  get rest(): string | undefined {
    const { messages, bytes } = this.#input?.left ?? { messages: 0, bytes: 0 };
    const whole = this.#pending + messages * this.#settings.repeat;
    const parts = whole > 0 ? [count(whole, "message")] : [];
    if (bytes > 0) parts.push(`one that has begun (${count(bytes, "byte")})`);
    return parts.length > 0 ? `not sent: ${parts.join(" and ")}` : undefined;
  }

  async #sendAll(socket: ConnectedSocket, input: InputMessages): Promise<void> {
    const { repeat, rate, wait } = this.#settings;
    const step = rate === undefined ? undefined : pace(rate);
    for await (const message of input) {
      if ("refused" in message) {
        this.unsent++;
        say(`${message.name} was not sent: ${message.refused}`);
        continue;
      }
      const { name, bytes } = message;
      this.#pending = repeat;
      try {
        if (wait === undefined && step === undefined && repeat > 1) {
          await this.#sendMany(socket, name, bytes);
          continue;
        }
        while (this.#pending > 0) {
          await step?.();
          await this.#send(socket, name, bytes);
        }
      } catch (error) {
        if (error instanceof SocketClosedError) return;
        throw error;
      }
    }
    await this.#output.flush();
  }

  async #send(
    socket: ConnectedSocket,
    name: string,
    bytes: Uint8Array,
  ): Promise<void> {
    const { wait } = this.#settings;
    const left = this.#pending - 1;
    try {
      if (wait !== undefined) await setAsideLateReplies(socket);
      this.#pending = left;
      if (wait === undefined) return void await socket.send(bytes);
      const reply = await socket.request(bytes, wait);
      await this.#output.write(this.#format(reply, new Date()));
    } catch (error) {
      if (error instanceof SocketClosedError) throw error;
      this.#pending = left;
      if (error instanceof Deno.errors.BrokenPipe) throw error;
      if (wait && error instanceof Deno.errors.TimedOut) this.unanswered++;
      else this.unsent++;
      this.#warnings.once(`${name}: ${reasonOf(error)}`);
    }
  }

  /** Sends a message again and again. */
  async #sendMany(
    socket: ConnectedSocket,
    name: string,
    bytes: Uint8Array,
  ): Promise<void> {
    const { sendFailed } = socket.stats;
    const messages = function* (exchange: Exchange) {
      for (; exchange.#pending > 0; exchange.#pending--) yield bytes;
    };
    try {
      await socket.sendMany(messages(this));
    } catch (error) {
      const [first] = error instanceof AggregateError ? error.errors : [error];
      if (first instanceof SocketClosedError) throw first;
      this.unsent += socket.stats.sendFailed - sendFailed;
      this.#warnings.once(`${name}: ${reasonOf(first)}`);
    }
  }
}

/**
 * Reports replies to earlier messages: otherwise the next message would take one
 * for its own. There can be some only if more was sent than was received.
 */
async function setAsideLateReplies(socket: ConnectedSocket): Promise<void> {
  while (socket.stats.sent > socket.stats.received) {
    const late = await socket.tryReceive();
    if (late === undefined) return;
    say(`a late reply: ${late.text()}`);
  }
}
