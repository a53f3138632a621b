import type { Carrier, CarrierSource } from "../carrier.ts";
import { count } from "../count.ts";
import { bytes, UsageError } from "./options.ts";
import { say } from "./program.ts";

const LARGEST = 2 ** 30;
/** What is suggested to someone who has set no size. */
const SUGGESTED = 4 * 1024 ** 2;

/** Reads `--receive-buffer`. */
export function receiveBuffer(text: string | undefined): number | undefined {
  const size = bytes("receive-buffer", text, undefined);
  if (size === undefined || size <= LARGEST) return size;
  throw new UsageError(`--receive-buffer ${text}: must be at most 1G`);
}

/**
 * Gives the sockets of a source a receive buffer of that size, or as much as the
 * system grants, and says once what they have.
 *
 * @param name Of the carrier.
 * @param quiet Whether to say it only if it is less.
 */
export function withReceiveBuffer(
  source: CarrierSource,
  size: number,
  { name, quiet = false }: { name: string; quiet?: boolean | undefined },
): CarrierSource {
  let isSaid = false;
  const grow = <C extends Carrier>(carrier: C): C => {
    const granted = set(carrier, size);
    if (!isSaid && granted < size) say(shortage(size, granted));
    else if (!isSaid && !quiet) {
      say(`receive buffer of ${count(granted, "byte")}, by ${name}`);
    }
    isSaid = true;
    return carrier;
  };
  const { dial } = source;
  return {
    ...source,
    listen: (address, options) => grow(source.listen(address, options)),
    ...(dial !== undefined && {
      dial: async (address, options) =>
        grow(await dial.call(source, address, options)),
    }),
  };
}

/** @returns How many bytes the system granted. */
function set({ control }: Carrier, size: number): number {
  control?.setBufferSize?.("receive", size);
  // Linux reports twice what it grants (socket(7)).
  return (control?.bufferSize?.("receive") ?? 0) / 2;
}

function shortage(size: number, granted: number): string {
  return `receive buffer of ${count(granted, "byte")} instead of ${size}: ` +
    `sudo sysctl -w net.core.rmem_max=${size} allows more`;
}

/**
 * Says what would help against drops by the system.
 *
 * @param size What is set.
 */
export function describeDropsHint(
  drops: number,
  size: number | undefined,
): string {
  const wanted = size === undefined ? SUGGESTED : Math.min(2 * size, LARGEST);
  const isFull = size === LARGEST;
  const help = isFull ? "" : `; --receive-buffer ${short(wanted)} may help`;
  return `the system dropped ${drops} before they could be read${help}`;
}

/** A size as the option takes it: 4M, or 4096. */
function short(size: number): string {
  const units = [["G", 2 ** 30], ["M", 2 ** 20], ["K", 2 ** 10]] as const;
  const [unit, factor] = units.find(([, factor]) => size % factor === 0) ??
    ["", 1];
  return `${size / factor}${unit}`;
}
