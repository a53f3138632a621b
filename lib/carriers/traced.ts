import { formatAddress } from "../address/address.ts";
import type { Addr } from "../addr.ts";
import type { Carrier, CarrierSource } from "../carrier.ts";
import { requireFunction, wrongType } from "../check.ts";
import { count } from "../count.ts";
import { isClosed } from "../errors.ts";
import { escapeControls } from "../escape.ts";
import { firstBytes } from "../first_bytes.ts";
import { printLine, reasonOf, Warnings } from "../warnings.ts";

// How much of a datagram a line shows.
const SHOWN_BYTES = 64;

/**
 * Wraps a carrier source so that everything that passes is logged: one line per
 * datagram with its time, the local address, the direction (`→` sent, `←`
 * received), the peer, its size and its first bytes (text in quotes with control
 * characters escaped, otherwise hexadecimal), and one line per socket that is
 * opened or closed and per operation that fails. The wrapped carriers behave as
 * the originals: they have the same optional members, and nothing that is passed
 * changes.
 *
 * The time is the system's, or the milliseconds of the carrier's own clock.
 *
 * @param source What carries the datagrams.
 * @param log Called with each line, without a line break. What it throws, or
 * rejects with, is printed once and changes nothing.
 * @default {prints the lines to standard error}
 * @returns A source for the `carrier` option.
 * @throws {TypeError} The source is not a carrier source, or `log` is not a
 * function.
 *
 * @example
 * ```ts
 * import { bind, connect, traced } from "@pli/datagram";
 * import { simulateNetwork } from "@pli/datagram/testing";
 *
 * const network = simulateNetwork();
 * const lines: string[] = [];
 * const carrier = traced(network, (line) => lines.push(line));
 * await network.run(async () => {
 *   await using socket = bind("udp://127.0.0.1:62000", { carrier });
 *   await using client = await connect(socket.addr, { carrier: network });
 *   await client.send("Bonjour");
 *   await socket.receive();
 * });
 * console.log(lines[1]);
 * // 0.000 ms  udp://127.0.0.1:62000 ← udp://127.0.0.1:49152  7 bytes  "Bonjour"
 * ```
 */
export function traced(
  source: CarrierSource,
  log: (line: string) => void = printLine,
): CarrierSource {
  if (typeof source?.listen !== "function") {
    const wanted = "an object with a listen method";
    throw wrongType("trace", "source", wanted, source);
  }
  requireFunction("trace", "log", log);
  const warnings = new Warnings();
  const write: Write = async (carrier, address, text) => {
    try {
      const line = `${timeOf(carrier)}  ${formatAddress(address)} ${text()}`;
      await (log(escapeControls(line)) as unknown);
    } catch (error) {
      warnings.once(`cannot log: ${reasonOf(error)}`);
    }
  };
  const notOpened = (address: Addr, error: unknown): never => {
    write(undefined, address, () => `not opened: ${reasonOf(error)}`);
    throw error;
  };
  return {
    ...(source.schemes !== undefined && { schemes: source.schemes }),
    listen(address, options) {
      try {
        return trace(source.listen(address, options), write);
      } catch (error) {
        return notOpened(address, error);
      }
    },
    ...(source.dial !== undefined && {
      async dial(address, options) {
        try {
          return trace(await source.dial!(address, options), write, address);
        } catch (error) {
          return notOpened(address, error);
        }
      },
    }),
  };
}

/** Writes one line; whatever the text or the log throws changes nothing. */
type Write = (
  carrier: Carrier | undefined,
  address: Addr,
  text: () => string,
) => void;

/** Returns a carrier that has the members of another and writes what they do. */
function trace(carrier: Carrier, write: Write, peer?: Addr): Carrier {
  const note = (text: () => string) => write(carrier, carrier.addr, text);
  const failed = (what: string, error: unknown) =>
    note(() => `${what}: ${reasonOf(error)}`);
  const received = (data: Uint8Array, from: Addr, truncated = false) =>
    note(() => datagram("←", from, data, truncated ? "truncated" : undefined));
  const sent = (data: Uint8Array, to: Addr) =>
    note(() => datagram("→", to, data));
  const notSent = (data: Uint8Array, to: Addr, error: unknown) =>
    note(() => datagram("→", to, data, `not sent: ${reasonOf(error)}`));
  const rethrow = (what: string) => (error: unknown): never => {
    // What ends because the socket was closed did not fail.
    if (!isClosed(error)) failed(what, error);
    throw error;
  };

  const members: Partial<Carrier> = {
    async receive(buffer) {
      const result = await Promise.try(() => carrier.receive(buffer))
        .catch(rethrow("← not received"));
      // A carrier may be the program's, and return anything.
      if (Array.isArray(result)) received(...result);
      return result;
    },
    async receiveBatch() {
      const runs = await Promise.try(() => carrier.receiveBatch!())
        .catch(rethrow("← not received"));
      if (!Array.isArray(runs)) return runs;
      for (const run of runs) {
        const { data, segmentSize, from, truncated, count } = run ?? {};
        if (!(data instanceof Uint8Array)) continue;
        // No run has more datagrams than bytes, but an empty one has one.
        const most = Math.min(count, Math.max(1, data.length));
        for (let at = 0, n = 0; n < most; at += segmentSize, n++) {
          received(data.subarray(at, at + segmentSize), from, truncated);
        }
      }
      return runs;
    },
    async send(data, to) {
      sent(data, to);
      try {
        return await carrier.send(data, to);
      } catch (error) {
        notSent(data, to, error);
        throw error;
      }
    },
    async sendFrom(data, to, from) {
      sent(data, to);
      try {
        return await carrier.sendFrom!(data, to, from);
      } catch (error) {
        notSent(data, to, error);
        throw error;
      }
    },
    async sendBatch(batch) {
      const result = await Promise.try(() => carrier.sendBatch!(batch))
        .catch(rethrow("→ not sent"));
      const count = Number(result?.sent) || 0;
      for (const { data, to } of batch.slice(0, count)) sent(data, to);
      const next = batch[count];
      if (next !== undefined && result?.error !== undefined) {
        notSent(next.data, next.to, result.error);
      }
      return result;
    },
    async sendRun(data, segmentSize, to) {
      const result = await Promise.try(() =>
        carrier.sendRun!(data, segmentSize, to)
      ).catch(rethrow("→ not sent"));
      const piece = (n: number) =>
        data.subarray(n * segmentSize, (n + 1) * segmentSize);
      const all = Math.ceil(data.length / segmentSize);
      const count = Math.min(Number(result?.sent) || 0, all);
      for (let n = 0; n < count; n++) sent(piece(n), to);
      if (count < all && result?.error !== undefined) {
        notSent(piece(count), to, result.error);
      }
      return result;
    },
    close() {
      try {
        carrier.close();
      } finally {
        note(() => "closed");
      }
    },
    async end() {
      try {
        await carrier.end!();
      } finally {
        note(() => "closed");
      }
    },
  };

  const open = peer === undefined
    ? "opened"
    : `opened to ${formatAddress(peer)}`;
  if (carrier.opened === undefined) note(() => open);
  else {
    carrier.opened.then(
      () => note(() => open),
      (error) => failed(`not ${open}`, error),
    );
  }
  // What the carrier lacks stays absent, and its own methods keep their `this`.
  return new Proxy(Object.create(carrier) as Carrier, {
    get(_, name) {
      const value = Reflect.get(carrier, name, carrier);
      if (typeof value !== "function") return value;
      return Object.hasOwn(members, name)
        ? members[name as keyof Carrier]
        : value.bind(carrier);
    },
  });
}

/** Describes one datagram: direction, peer, size, and its bytes or its fate. */
function datagram(
  arrow: string,
  peer: Addr,
  data: Uint8Array,
  fate?: string,
): string {
  const size = count(data.length, "byte");
  const what = fate === undefined ? size : `${size}, ${fate}`;
  return `${arrow} ${formatAddress(peer)}  ${what}  ${
    firstBytes(data, SHOWN_BYTES)
  }`;
}

/** Returns the time on the carrier's own clock, or else the system's. */
function timeOf(carrier: Carrier | undefined): string {
  return carrier?.clock === undefined
    ? new Date().toISOString()
    : `${carrier.clock.now().toFixed(3)} ms`;
}
