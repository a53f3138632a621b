// Collects syslog messages (RFC 5424, and the older form of RFC 3164) over UDP, or
// over TCP with octet counting or one line per message (RFC 6587).
//
//   deno run --allow-net=127.0.0.1 examples/protocols/syslog.ts udp://127.0.0.1:5514
//   deno run --allow-net=127.0.0.1 examples/protocols/syslog.ts tcp://127.0.0.1:5514 octet

import { escapeControls } from "@pli/datagram";
import type { Message } from "@pli/datagram/collect";
import { tcp } from "@pli/datagram/tcp";
import { collectAt, program } from "./program.ts";

// deno-fmt-ignore
const FACILITIES = [
  "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp",
  "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clock",
  ...Array.from({ length: 8 }, (_, i) => `local${i}`),
];
// deno-fmt-ignore
const SEVERITIES =
  ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

// RFC 5424, section 6. Between the type of the message and its text is the
// structured data.
const NEW = new RegExp(
  /^<(?<level>\d{1,3})>1 (?<time>\S+) (?<host>\S+) (?<app>\S+) (?<pid>\S+) \S+ /
    .source +
    /(?:-|(?:\[(?:[^"\]]|"(?:[^"\\]|\\.)*")*\])+)(?: \ufeff?(?<text>.*))?$/
      .source,
  "s",
);
// RFC 3164, section 4.1. Of anything else the priority is read, if there is one.
const OLD =
  /^<(?<level>\d{1,3})>(?<time>\w{3} [ \d]\d [\d:]{8}) (?<host>\S+) (?<app>[^\s:[]+)(?:\[(?<pid>[^\]]*)\])?: ?(?<text>.*)$/s;
const ANY = /^(?:<(?<level>\d{1,3})>)?(?<text>.*)$/s;

/** Returns a message as one line. */
export function shown(message: string): string {
  const match = NEW.exec(message) ?? OLD.exec(message) ?? ANY.exec(message);
  const { level, time, host = "-", app = "-", pid, text } = match!.groups!;
  const n = Number(level ?? 13); // user.notice (RFC 3164, section 4.3.3)
  const priority = `${FACILITIES[n >> 3] ?? n >> 3}.${SEVERITIES[n & 7]}`;
  const process = pid === undefined || pid === "-" ? app : `${app}[${pid}]`;
  const line = `${time ?? "-"}  ${host}  ${priority}  ${process}: ${
    text ?? ""
  }`;
  return escapeControls(line);
}

if (import.meta.main) {
  await program("syslog.ts ADDRESS [octet|line]", async (at = "", framing) => {
    const lines = tcp({ framing: framing === "line" ? "line" : "octet" });
    const carrier = at.startsWith("tcp:") ? lines : undefined;
    const print = ({ datagram }: Message) =>
      console.log(shown(datagram.text()));
    await collectAt(at, print, carrier);
  });
}
