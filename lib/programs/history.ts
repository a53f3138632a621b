/**
 * The program `deno task history`: prints the messages in a store.
 *
 * @module
 */
import { rangeOf } from "../address/networks.ts";
import { CaptureEncoder } from "../capture.ts";
import { received } from "../capture/received.ts";
import { count } from "../count.ts";
import { quote } from "../errors.ts";
import type { Message } from "../sink.ts";
import { StoreReader } from "../sinks/store/reader.ts";
import { formatName, formatter } from "./format.ts";
import { moment } from "./moment.ts";
import { parseOptions, path, UsageError, wholeNumber } from "./options.ts";
import { Output } from "./output.ts";
import { requirePermissions } from "./permissions.ts";
import { EXIT, isAnswered, runProgram, say } from "./program.ts";

const HELP = `Print the messages in a store, even while a server writes to it.

Usage: deno task history FILE [options]   FILE: as for server --store FILE

  --since WHEN       since 90s, 1h or 7d ago, or since 2026-11-23T09:30 (UTC)
  --from CIDR        only from these sources: 10.0.0.0/8, fd00::/8, 192.0.2.7
                     (repeatable)
  --count N          only the newest N of them
  --backup COPY      copy the store into a new file instead, complete
  --format F         text | json | hex | raw (bytes alone) | pcapng  [text]
  -h, --help, --version

Oldest first, on standard output. Exit codes: 0 done; 1 bad usage; 2 the file
could not be read, or the copy not be written.

  deno task history messages.db --since 1h --from 127.0.0.1 --format json`;

/** The program `history`. Returns its exit code. */
export async function history(
  args: readonly string[],
  script: string,
): Promise<number> {
  const { values, flags, lists, rest } = parseOptions(args, {
    values: ["since", "count", "format", "backup"],
    flags: [],
    lists: ["from"],
  });
  if (isAnswered(flags, HELP)) return EXIT.done;
  const file = fileOf(rest);
  const selection = {
    since: moment("since", values.since),
    sources: lists.from?.map(rangeOf),
    count: wholeNumber("count", values.count, 1, undefined),
  };
  const format = formatName(values.format, ["pcapng"]);
  const copy = path("backup", values.backup);
  if (copy !== undefined && hasAny({ ...selection, format: values.format })) {
    throw new UsageError("--backup copies all; give it alone");
  }
  const needs = copy === undefined
    ? { read: [file] }
    : { read: [file, copy], write: [copy] };
  requirePermissions([[`read ${quote(file)}`, needs]], { script, args });

  using store = new StoreReader(file);
  if (copy !== undefined) {
    await store.backUp(copy);
    return EXIT.done;
  }
  const output = new Output();
  const messages = store.select(selection);
  if (format === "pcapng") await writeCapture(messages, output);
  else {
    const write = formatter(format);
    for (const { datagram, time } of messages) {
      await output.write(write(datagram, time));
    }
  }
  await output.flush();
  return EXIT.done;
}

/** The store does not know at which address a message was received. */
async function writeCapture(
  messages: Iterable<Message>,
  output: Output,
): Promise<void> {
  const encoder = new CaptureEncoder();
  await output.write(encoder.header);
  for (const { datagram, time } of messages) {
    const { from } = datagram;
    const isIpv6 = "hostname" in from && from.hostname.includes(":");
    const hostname = isIpv6 ? "::" : "0.0.0.0";
    const to = { transport: "udp", hostname, port: 0 } as const;
    const packet = encoder.encode(received(datagram, time, to));
    if (packet !== undefined) await output.write(packet);
  }
  const { tooLong, notIp } = encoder.stats;
  if (tooLong + notIp === 0) return;
  const messagesLeft = count(tooLong + notIp, "message");
  say(
    `${messagesLeft} not written: longer than UDP allows, or without an IP address`,
  );
}

function hasAny(options: Record<string, unknown>): boolean {
  return Object.values(options).some((value) => value !== undefined);
}

function fileOf(rest: readonly string[]): string {
  const [file] = rest;
  if (file === undefined) throw new UsageError("FILE is missing");
  if (rest.length === 1 && file !== "") return file;
  throw new UsageError(
    file === ""
      ? 'FILE "": must be a path'
      : `expected one FILE, got ${rest.length}`,
  );
}

if (import.meta.main) {
  await runProgram(
    "history",
    () => history(Deno.args, import.meta.filename!),
  );
}
