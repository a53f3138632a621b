import type { Addr, NetAddr, SchemeAddr, UnixAddr } from "../addr.ts";
import { formatAddress, parseAddress } from "../address/address.ts";
import type { Datagram } from "../datagram.ts";
import { quote } from "../errors.ts";
import { isOnLoopback } from "../address/host.ts";
import { blockList } from "../address/networks.ts";
import { parseNatsUrl } from "../sinks/nats/url.ts";
import { type CarrierSettings, carrierSettings, toCarry } from "./carriers.ts";
import { FORMATS } from "./format.ts";
import {
  duration,
  milliseconds,
  oneOf,
  parseOptions,
  rate,
  UsageError,
  wholeNumber,
} from "./options.ts";
import {
  type Needs,
  toAnswer,
  toBind,
  together,
  toKeep,
  toReach,
  toSend,
  toUnix,
} from "./permissions.ts";
import { inEnvironment, type Secret, toKnow } from "./secrets.ts";

const DEFAULT_ADDRESS = "udp://127.0.0.1:62000";
const MAX_SIZE = 65_527;
const PAGE_TOKEN = "PLI_PAGE_TOKEN";

const DEFAULT_PAGE = "127.0.0.1:62080";

/** What `--help` prints: one screen. */
export const HELP =
  `Receives messages: shows them, answers them, keeps them, hands them on.
Usage: deno task server [ADDRESS] [options]           [${DEFAULT_ADDRESS}]

receive  --count N, --once     stop after N messages, after one
         --timeout D           stop, exit code 3, when none came for D (10s)
         --max-size BYTES      longer messages are cut and marked   [${MAX_SIZE}]
         --format F, --quiet   text | json | hex | raw [text]; only errors
         --stats-every D       what was counted, on standard error
answer   --echo, --reply TEXT  each message with itself, with TEXT
         --answer-limit RATE   to each peer             [1000/s, 10,000 at once]
guard    --allow CIDR          hear only such sources; may be repeated
         --deny CIDR           but not such; may be repeated
         --rate-limit RATE     of each source, such as 1000/s; --burst N at once
keep     --store FILE          in SQLite; deno task history FILE reads it
         --keep N              the newest N messages, or those of 12h, of 7d
         --receipt             answer {"id":17,"size":34} once it is on disk
see      --page [HOST:PORT]    live, in a browser              [${DEFAULT_PAGE}]
         --page-token-file F   for beyond loopback            [PLI_PAGE_TOKEN]
hand on  --publish URL         nats://HOST:4222/SUBJECT (JetStream)
carry    --framing F           tcp, tls: a message is a line | length     [line]
         --cert F, --key F     tls, quic: files; deno task cert makes both
         --token-file F        quic: whose text clients must know    [PLI_TOKEN]
         --fast                udp: many a system call; Linux, --allow-ffi

ADDRESS: udp://HOST:PORT, HOST:PORT, :PORT (loopback), tcp://, tls://, quic://
or unix:/PATH. A secret is in a file or [a variable]. Messages go to standard
output, all else to standard error.  --help, --version
Exit codes: 0 done, or Ctrl-C; 1 bad usage or address; 2 the socket could not be
opened; 3 timed out; 4 some answers could not be sent.`;

/** What the command line asks for, checked. */
export interface Settings {
  address: SchemeAddr | UnixAddr;
  carrier: CarrierSettings;
  count: number;
  timeoutMs: number | undefined;
  statsMs: number | undefined;
  format: typeof FORMATS[number];
  quiet: boolean;
  /** For `bind`. */
  socket: {
    maxSize: number;
    allow?: string[];
    deny?: string[];
    rateLimit?: { perSecond: number; burst?: number };
    answerLimit?: number;
  };
  answer: ((datagram: Datagram<Addr>) => string | Uint8Array) | undefined;
  store: StoreSettings | undefined;
  page: PageSettings | undefined;
  /** A `nats:` URL. */
  publish: string | undefined;
}

/** For `openStore`. */
export interface StoreSettings {
  path: string;
  keepRows?: number;
  keepMs?: number;
  receipt: boolean;
}

/** For `page`. */
export interface PageSettings {
  listen: string;
  token: Secret;
}

/**
 * Reads the command line.
 *
 * @throws {UsageError} What cannot be meant.
 * @throws {InvalidAddressError} An address or a network that is none.
 */
export function parseSettings(
  args: readonly string[],
): Settings | "help" | "version" {
  const { values, flags, lists, rest } = parseOptions(args, {
    values: [
      "count",
      "timeout",
      "max-size",
      "format",
      "stats-every",
      "reply",
      "answer-limit",
      "rate-limit",
      "burst",
      "store",
      "keep",
      "page",
      "page-token-file",
      "publish",
      "framing",
      "cert",
      "key",
      "token-file",
    ],
    flags: ["once", "echo", "quiet", "receipt", "fast", "help", "version"],
    lists: ["allow", "deny"],
    optional: ["page"],
  });
  if (flags.help) return "help";
  if (flags.version) return "version";
  if (rest.length > 1) throw new UsageError(`one address, not ${rest.length}`);
  const given = { ...values, ...flags };
  notBoth(given, "once", "count");
  notBoth(given, "echo", "reply");
  notBoth(given, "receipt", "echo");
  notBoth(given, "receipt", "reply");
  needs(given, "receipt", "store");
  needs(given, "keep", "store");
  needs(given, "burst", "rate-limit");
  needs(given, "page-token-file", "page");

  const perSecond = rate("rate-limit", values["rate-limit"], undefined);
  const address = parseAddress(rest[0] ?? DEFAULT_ADDRESS);
  const settings: Settings = {
    address,
    carrier: carrierSettings(address, values, {
      serves: true,
      fast: flags.fast,
    }),
    count: flags.once ? 1 : wholeNumber("count", values.count, 1, Infinity),
    timeoutMs: duration("timeout", values.timeout, undefined),
    statsMs: duration("stats-every", values["stats-every"], undefined),
    format: oneOf("format", values.format, FORMATS, "text"),
    quiet: flags.quiet,
    socket: {
      maxSize: maxSize(values["max-size"]),
      ...lists,
      ...(perSecond !== undefined && {
        rateLimit: {
          perSecond,
          burst: wholeNumber("burst", values.burst, 1, undefined),
        },
      }),
      answerLimit: rate("answer-limit", values["answer-limit"], undefined),
    },
    answer: answerer(flags.echo, values.reply),
    store: values.store === undefined
      ? undefined
      : { ...keep(values.keep), path: values.store, receipt: flags.receipt },
    page: page(values.page, values["page-token-file"]),
    publish: values.publish,
  };
  if ("path" in settings.address) refuseForUnix(settings.address, given, lists);
  if (values.publish !== undefined) parseNatsUrl(values.publish);
  blockList([...lists.allow ?? [], ...lists.deny ?? []]);
  return settings;
}

type Given = Record<string, string | boolean | undefined>;

function notBoth(given: Given, one: string, other: string): void {
  if (!isGiven(given[one]) || !isGiven(given[other])) return;
  throw new UsageError(`--${one} and --${other}: give one of them`);
}

function needs(given: Given, option: string, other: string): void {
  if (!isGiven(given[option]) || isGiven(given[other])) return;
  throw new UsageError(`--${option} needs --${other}`);
}

function isGiven(value: string | boolean | undefined): boolean {
  return value !== undefined && value !== false;
}

/** There are no IP sources, and no way back. */
function refuseForUnix(address: UnixAddr, given: Given, lists: object) {
  const answers = ["echo", "reply", "receipt", "answer-limit"];
  if (answers.some((name) => isGiven(given[name]))) {
    throw new UsageError("a unix: server only receives; it cannot answer");
  }
  const name = Object.keys(lists)[0] ??
    (isGiven(given["rate-limit"]) ? "rate-limit" : undefined);
  if (name === undefined) return;
  throw new UsageError(
    `--${name} is about IP addresses; ${formatAddress(address)} has none`,
  );
}

function maxSize(text: string | undefined): number {
  const size = wholeNumber("max-size", text, 0, MAX_SIZE);
  if (size <= MAX_SIZE) return size;
  throw new UsageError(
    `--max-size ${size}: no message is longer than ${MAX_SIZE} bytes`,
  );
}

function answerer(echo: boolean, reply: string | undefined) {
  if (echo) return ({ data }: Datagram<Addr>) => data;
  return reply === undefined ? undefined : () => reply;
}

function keep(
  text: string | undefined,
): { keepRows?: number; keepMs?: number } {
  if (text === undefined) return {};
  const keepRows = Number(text);
  if (/^\d+$/.test(text) && keepRows > 0 && Number.isSafeInteger(keepRows)) {
    return { keepRows };
  }
  const keepMs = milliseconds(text);
  if (keepMs > 0 && Number.isSafeInteger(Math.round(keepMs))) return { keepMs };
  throw new UsageError(
    `--keep ${
      quote(text)
    }: must be how many messages, such as 1000000, or how long, such as 12h or 7d`,
  );
}

/** Beyond loopback others reach it, so there it needs a token. */
function page(
  text: string | undefined,
  file: string | undefined,
): PageSettings | undefined {
  if (text === undefined) return undefined;
  const listen = text === "" ? DEFAULT_PAGE : text;
  if (/[/]|^unix:/.test(listen)) {
    throw new UsageError(
      `--page ${quote(listen)}: must be HOST:PORT, such as ${DEFAULT_PAGE}`,
    );
  }
  const address = parseAddress(listen) as NetAddr;
  const token = { file, variable: PAGE_TOKEN };
  const isSecret = file !== undefined || inEnvironment(PAGE_TOKEN);
  if (!isSecret && !isOnLoopback(address.hostname)) {
    throw new UsageError(
      `--page ${listen}: others can reach it there, so it needs --page-token-file, or ${PAGE_TOKEN} and --allow-env=${PAGE_TOKEN}`,
    );
  }
  return { listen, token };
}

/** The narrowest permissions that do. */
export function needsOf(settings: Settings): Needs {
  const { address, carrier, answer, store, page, publish } = settings;
  return together(
    "path" in address
      ? together(toUnix(address.path), toKeep(address.path))
      : answer || store?.receipt
      ? toAnswer(address)
      : toBind(address),
    toCarry(carrier),
    store === undefined ? {} : toKeep(store.path),
    page === undefined ? {} : together(
      toBind(parseAddress(page.listen) as NetAddr),
      toSend(address),
      page.token.file !== undefined || inEnvironment(PAGE_TOKEN)
        ? toKnow(page.token)
        : {},
    ),
    publish === undefined ? {} : toReach(parseNatsUrl(publish)),
  );
}
