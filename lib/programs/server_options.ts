import type { Addr, UnixAddr } from "../addr.ts";
import { formatAddress, parseAddress } from "../address/address.ts";
import { rangeOf } from "../address/networks.ts";
import type { Datagram } from "../datagram.ts";
import { quote } from "../errors.ts";
import { parseNatsUrl } from "../sinks/nats/url.ts";
import { publicHosts } from "../sinks/page/hosts.ts";
import { carrierSettings, maxSizeFor } from "./carriers.ts";
import { formatName } from "./format.ts";
import { forwardSettings } from "./forward_settings.ts";
import { recordSettings } from "./record_settings.ts";
import {
  duration,
  type Given,
  isGiven,
  milliseconds,
  notBoth,
  type Options,
  path,
  rate,
  requires,
  UsageError,
  wholeNumber,
} from "./options.ts";
import { CREDENTIALS } from "./permissions.ts";
import { DEFAULT_PAGE, PAGE_TOKEN, pageSettings } from "./page_settings.ts";
import type { PublishSettings, ServerSettings } from "./server_settings.ts";

const DEFAULT_ADDRESS = "udp://127.0.0.1:62000";

/** The text of `--help`: one screen. */
export const HELP: string =
  `Receive messages and print, answer, store, publish or forward them.
Usage: deno task server [ADDRESS] [options]            [${DEFAULT_ADDRESS}]

receive    --count N, --once    stop after N messages, or after one
           --timeout D          after D (10s, 1m) without a message, exit code 3
           --end-timeout D      how long the end may take, for all sinks    [5s]
           --max-size BYTES     cut and mark longer ones [65527; tcp, tls 65535]
           --format F           text | json | hex | raw (bytes alone)     [text]
           --stats-every D      totals; --quiet: errors only; --trace: datagrams
reply      --echo, --reply TEXT reply with the same message, or with TEXT
           --answer-limit RATE  per peer          [udp: 1000/s, 10000 at once]
access     --allow, --deny CIDR only these sources, or not these (repeatable)
           --rate-limit RATE    per source, such as 1000/s; --burst N at once
store      --store FILE         in SQLite, for deno task history; --keep N or 7d
           --receipt            reply {"id":17,"size":34} once it is on disk
page       --page [HOST:PORT]   live, in a browser             [${DEFAULT_PAGE}]
           --page-token-file F  required beyond loopback (or env ${PAGE_TOKEN})
           --page-host NAME     its public name, behind a proxy (repeatable)
record     --record F.pcapng    for Wireshark; --record-limit SIZE        [1GiB]
publish    --publish URL        to NATS JetStream: nats://HOST:4222/SUBJECT
           --credentials-file F or env ${CREDENTIALS}: user:pass, token, .creds
forward    --forward ADDRESS    to other servers (repeatable); --forward-sender
           --forward-limit RATE [10000/s]; --forward-framing F, --forward-ca F
transport  --framing F          tcp, tls: line | length | octet | nul     [line]
           --cert F, --key F    tls, quic: PEM files; deno task cert makes both
           --token-file F       quic: the clients' secret (or env PLI_TOKEN)
           --fast, --receive-buffer 4M  udp: many per system call (Linux, FFI)

ADDRESS is HOST:PORT, :PORT (loopback), udp://HOST:PORT, tcp://…, tls://…,
quic://…, or unix:/PATH. Messages go to standard output, all else to standard
error. -h, --help, --version. Exit codes: 0 done, or Ctrl-C; 1 bad usage or
address; 2 the socket could not be opened; 3 timed out; 4 some replies not sent.`;

/** The options that the server knows. */
export const OPTIONS = {
  values: [
    "count",
    "timeout",
    "end-timeout",
    "max-size",
    "format",
    "stats-every",
    "reply",
    "answer-limit",
    "rate-limit",
    "burst",
    "store",
    "keep",
    "record",
    "record-limit",
    "page",
    "page-token-file",
    "publish",
    "credentials-file",
    "forward-limit",
    "forward-framing",
    "forward-ca",
    "framing",
    "cert",
    "key",
    "token-file",
    "receive-buffer",
  ],
  flags: [
    "once",
    "echo",
    "quiet",
    "receipt",
    "fast",
    "trace",
    "forward-sender",
  ],
  lists: ["allow", "deny", "page-host", "forward"],
  optional: ["page"],
} as const;

/**
 * Checks the command line.
 *
 * @throws {UsageError} Options do not fit together, or a value is wrong.
 * @throws {InvalidAddressError} An address, a network or a URL is wrong.
 */
export function serverSettings(
  { values, flags, lists, rest }: Options<typeof OPTIONS>,
): ServerSettings {
  if (rest.length > 1) {
    throw new UsageError(`expected one ADDRESS, got ${rest.length}`);
  }
  const { "page-host": hosts = [], forward = [], ...networks } = lists;
  const given: Given = { ...values, ...flags, "page-host": hosts[0] };
  checkCombinations(given);
  const address = parseAddress(rest[0] ?? DEFAULT_ADDRESS);
  if ("path" in address) checkUnix(address, given, networks);
  const carrier = carrierSettings(address, { ...values, ...flags }, {
    serves: true,
  });
  [...lists.allow ?? [], ...lists.deny ?? []].forEach(rangeOf);
  const size = wholeNumber("max-size", values["max-size"], 0, undefined);
  return {
    address,
    carrier,
    count: flags.once ? 1 : wholeNumber("count", values.count, 1, Infinity),
    timeoutMs: duration("timeout", values.timeout, undefined),
    endTimeoutMs: duration("end-timeout", values["end-timeout"], undefined),
    statsMs: duration("stats-every", values["stats-every"], undefined),
    format: formatName(values.format),
    quiet: flags.quiet,
    trace: flags.trace,
    socket: {
      maxSize: maxSizeFor(carrier, size),
      ...networks,
      rateLimit: rateLimit(values["rate-limit"], values.burst),
      answerLimit: rate("answer-limit", values["answer-limit"], undefined),
    },
    answer: answerer(flags.echo, values.reply),
    store: values.store === undefined ? undefined : {
      ...keep(values.keep),
      path: path("store", values.store),
      receipt: flags.receipt,
    },
    record: recordSettings(values.record, values["record-limit"]),
    page: pageSettings(
      values.page,
      path("page-token-file", values["page-token-file"]),
      publicHosts(hosts),
    ),
    publish: publish(
      values.publish,
      path("credentials-file", values["credentials-file"]),
    ),
    forward: forwardSettings(forward, given),
  };
}

function checkCombinations(given: Given): void {
  notBoth(given, "once", "count");
  notBoth(given, "echo", "reply");
  notBoth(given, "receipt", "echo");
  notBoth(given, "receipt", "reply");
  requires(given, "receipt", "store");
  requires(given, "keep", "store");
  requires(given, "burst", "rate-limit");
  requires(given, "record-limit", "record");
  requires(given, "page-token-file", "page");
  requires(given, "page-host", "page");
  requires(given, "credentials-file", "publish");
}

/** There are no IP sources, and no way back. */
function checkUnix(address: UnixAddr, given: Given, lists: object): void {
  const answers = ["echo", "reply", "receipt", "answer-limit"];
  if (answers.some((name) => isGiven(given, name))) {
    throw new UsageError("a unix: server only receives; it cannot reply");
  }
  const name = Object.keys(lists)[0] ??
    (isGiven(given, "rate-limit") ? "rate-limit" : undefined);
  if (name === undefined) return;
  throw new UsageError(
    `--${name} is about IP addresses; ${formatAddress(address)} has none`,
  );
}

function rateLimit(text: string | undefined, burst: string | undefined) {
  const perSecond = rate("rate-limit", text, undefined);
  return perSecond === undefined
    ? undefined
    : { perSecond, burst: wholeNumber("burst", burst, 1, undefined) };
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
    }: must be a number of messages, such as 1000000, or a time, such as 12h or 7d`,
  );
}

function publish(
  url: string | undefined,
  file: string | undefined,
): PublishSettings | undefined {
  if (url === undefined) return undefined;
  const { credentials } = parseNatsUrl(url);
  if (Object.keys(credentials).length === 0) {
    return { url, credentials: { file, variable: CREDENTIALS } };
  }
  if (file === undefined) return { url, credentials: undefined };
  throw new UsageError(
    "--credentials-file and credentials in the URL: give one of them",
  );
}
