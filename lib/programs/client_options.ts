import type { SchemeAddr, UnixAddr } from "../addr.ts";
import { toDestination } from "../address/address.ts";
import type { Backoff } from "../socket/backoff.ts";
import { type CarrierSettings, carrierSettings, toCarry } from "./carriers.ts";
import { type FormatName, formatName } from "./format.ts";
import { type Needs, toConnect, together, toUseUnix } from "./needs.ts";
import { STANDARD_INPUT } from "./input.ts";
import {
  duration,
  type Given,
  notBoth,
  type Options,
  path,
  rate,
  requires,
  UsageError,
  wholeNumber,
} from "./options.ts";

const DEFAULT_ADDRESS = "udp://127.0.0.1:62000";

/** The text of `--help`: one screen. */
export const HELP: string = `Send messages, and wait for replies.
Usage: deno task client [--to ADDRESS] [MESSAGE ...] [options]
Each MESSAGE is sent by itself; without any, each line of standard input.

message    --to ADDRESS        the receiver            [${DEFAULT_ADDRESS}]
           --hex               messages are hexadecimal, such as "00 ff"
           --file PATH         send a file as one message; - is standard input
           --repeat N          send each message N times                     [1]
           --rate RATE         send at most 0.5 per second, 100/s, 30/m, …
reply      --wait              print the reply to each message
           --timeout D         how long to wait, such as 500ms or 10s       [1s]
           --retries N         send again up to N times without a reply      [0]
           --backoff           wait twice as long each time, plus up to half
           --format F          text | json | hex | raw (bytes alone)      [text]
transport  --framing F         tcp, tls: line | length | octet | nul      [line]
           --ca FILE           tls, quic: also trust these certificates
           --token-file FILE   quic: the server's secret (or env PLI_TOKEN)
           --reliable          quic: lose no message, and keep their order
           --fast              udp: send --repeat many per system call (Linux;
                               needs --allow-ffi)
other      --trace             log each datagram on standard error
           --quiet             print only errors on standard error
           -h, --help, --version

ADDRESS is HOST:PORT, :PORT (loopback), udp://HOST:PORT, tcp://…, tls://…,
quic://…, or unix:/PATH. A message that begins with a dash goes after --, and
one that is not UTF-8 by --hex, --file or standard input.
Exit codes: 0 done, or Ctrl-C; 1 bad usage or address; 2 the socket could not be
opened; 3 a reply did not come in time; 4 some messages could not be sent.

  deno task client --to 127.0.0.1:9000 --wait --retries 3 ping`;

/** The options that the client knows. */
export const OPTIONS = {
  values: [
    "to",
    "timeout",
    "retries",
    "format",
    "repeat",
    "rate",
    "file",
    "framing",
    "ca",
    "token-file",
  ],
  flags: ["wait", "backoff", "hex", "reliable", "fast", "trace", "quiet"],
  hint: "a message that begins with a dash goes after --",
  bytesHint: "give other bytes by --hex, --file or standard input",
} as const;

/** The options of a command line, checked. */
export interface ClientSettings {
  remote: SchemeAddr | UnixAddr;
  carrier: CarrierSettings;
  /** Arguments: one message each. */
  messages: readonly string[];
  /** The path of a file, or `-` for standard input: its bytes are one message. */
  file: string | undefined;
  hex: boolean;
  /** How to wait for replies, if at all. */
  wait:
    | { timeoutMs: number; retries: number; backoff: Backoff | undefined }
    | undefined;
  format: FormatName;
  repeat: number;
  /** Messages per second, at most. */
  rate: number | undefined;
  trace: boolean;
  quiet: boolean;
}

/**
 * Checks the command line.
 *
 * @throws {UsageError} Options do not fit together, or a value is wrong.
 * @throws {InvalidAddressError} The address is wrong.
 */
export function clientSettings(
  { values, flags, rest }: Options<typeof OPTIONS>,
): ClientSettings {
  const given: Given = { ...values, ...flags };
  requires(given, "timeout", "wait");
  requires(given, "retries", "wait");
  requires(given, "backoff", "retries");
  requires(given, "format", "wait");
  notBoth(given, "file", "hex");
  if (values.file !== undefined && rest.length > 0) {
    throw new UsageError("--file and messages: give one of them");
  }
  const timeoutMs = duration("timeout", values.timeout, 1000);
  const retries = wholeNumber("retries", values.retries, 0, 0);
  const backoff = flags.backoff ? {} : undefined;
  const remote = toDestination(values.to ?? DEFAULT_ADDRESS);
  if ("path" in remote && flags.wait) {
    throw new UsageError("a unix: server cannot reply; leave out --wait");
  }
  return {
    remote,
    carrier: carrierSettings(remote, { ...values, ...flags }),
    messages: rest,
    file: path("file", values.file),
    hex: flags.hex,
    wait: flags.wait ? { timeoutMs, retries, backoff } : undefined,
    format: flags.wait ? formatName(values.format) : "text",
    repeat: wholeNumber("repeat", values.repeat, 1, 1),
    rate: rate("rate", values.rate, undefined),
    trace: flags.trace,
    quiet: flags.quiet,
  };
}

/** Returns the narrowest permissions that suffice. */
export function clientNeeds(
  { remote, carrier, file }: ClientSettings,
): Needs {
  return together(
    "path" in remote ? toUseUnix(remote.path) : toConnect(remote),
    toCarry(carrier),
    file === undefined || file === STANDARD_INPUT ? {} : { read: [file] },
  );
}
