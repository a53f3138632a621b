/**
 * The program `deno task history`: shows the messages that a server kept.
 *
 * @module
 */
import { quote } from "../errors.ts";
import { rangeOf } from "../address/networks.ts";
import { StoreReader } from "../sinks/store/reader.ts";
import { FORMATS, formatter } from "./format.ts";
import {
  milliseconds,
  oneOf,
  parseOptions,
  UsageError,
  wholeNumber,
} from "./options.ts";
import { Output } from "./output.ts";
import { requirePermissions } from "./permissions.ts";
import { EXIT, runProgram, VERSION } from "./program.ts";

const HELP = `Shows the messages that a server kept, also while it keeps more.

Usage: deno task history FILE [options]   FILE: as for server --store FILE

  --since WHEN       from then on: 90s, 1h, 7d ago, or 2026-11-23T09:30Z
  --from CIDR        of those sources: 10.0.0.0/8, fd00::/8, 192.0.2.7;
                     may be repeated
  --count N          the newest N of them
  --format F         text | json | hex | raw                       [text]
  --help, --version

Oldest first, on standard output. Exit codes: 0 done; 1 bad usage; 2 the file
could not be read.

  deno task history messages.db --since 1h --from 127.0.0.1 --format json`;

/** The program `history`. Gives its exit code. */
export async function history(
  args: readonly string[],
  script: string,
): Promise<number> {
  const { values, flags, lists, rest } = parseOptions(args, {
    values: ["since", "count", "format"],
    flags: ["help", "version"],
    lists: ["from"],
  });
  if (flags.help || flags.version) {
    console.log(flags.help ? HELP : VERSION);
    return EXIT.done;
  }
  if (rest.length !== 1) {
    throw new UsageError(`one file, not ${rest.length}`);
  }
  const selection = {
    since: moment(values.since),
    sources: lists.from?.map(rangeOf),
    count: wholeNumber("count", values.count, 1, undefined),
  };
  const write = formatter(oneOf("format", values.format, FORMATS, "text"));
  const [path] = rest;
  requirePermissions(`read ${quote(path)}`, { read: [path] }, script, args);

  using store = new StoreReader(path);
  const output = new Output();
  for (const { datagram, time } of store.select(selection)) {
    await output.write(write(datagram, time));
  }
  await output.flush();
  return EXIT.done;
}

/** A time ago, or a moment. */
function moment(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const ago = milliseconds(text);
  const date = Number.isNaN(ago) ? new Date(text) : new Date(Date.now() - ago);
  if (!Number.isNaN(date.getTime()) && (ago >= 0 || /^\d{4}-/.test(text))) {
    return date;
  }
  throw new UsageError(
    `--since ${
      quote(text)
    }: must be how long ago, such as 1h or 7d, or a moment, such as 2026-11-23T09:30Z`,
  );
}

if (import.meta.main) {
  await runProgram(
    "history",
    () => history(Deno.args, import.meta.filename!),
  );
}
