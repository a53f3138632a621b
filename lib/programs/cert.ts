/**
 * The program `deno task cert`: makes a certificate for development.
 *
 * @module
 */
import { parseAddress } from "../address/address.ts";
import { quote } from "../errors.ts";
import { makeCertificate } from "../testing/certificate.ts";
import { parseOptions, UsageError, wholeNumber } from "./options.ts";
import { quoted, requirePermissions } from "./permissions.ts";
import { EXIT, runProgram, say, VERSION } from "./program.ts";

const HOSTS = ["localhost", "127.0.0.1", "::1"];
const MAX_DAYS = 36_500;

const HELP = `Makes a certificate for development, and its key.

Usage: deno task cert [options]

  --host NAME        also for that name or IP address; may be repeated
                     [localhost, 127.0.0.1 and ::1]
  --days N           how long it is valid                            [365]
  --out DIR          where cert.pem and key.pem go                     [.]
  --force            replace them where they are there already
  --help, --version

Prints the commands that use it. The key (key.pem) is for its owner alone; the
certificate (cert.pem) is what clients are given. It signs itself: nobody trusts
it who does not have it. Exit codes: 0 done; 1 bad usage; 2 not written.

  deno task cert --host server.lan --days 30`;

/** The program `cert`. Gives its exit code. */
export async function cert(
  args: readonly string[],
  script: string,
): Promise<number> {
  const { values, flags, lists, rest } = parseOptions(args, {
    values: ["days", "out"],
    flags: ["force", "help", "version"],
    lists: ["host"],
  });
  if (flags.help || flags.version) {
    console.log(flags.help ? HELP : VERSION);
    return EXIT.done;
  }
  if (rest.length > 0) {
    throw new UsageError(`${quote(rest[0])}: only options are known`);
  }
  const days = wholeNumber("days", values.days, 1, 365);
  if (days > MAX_DAYS) {
    throw new UsageError(`--days ${days}: must be at most ${MAX_DAYS}`);
  }
  const hosts = [...new Set([...HOSTS, ...(lists.host ?? []).map(hostOf)])];
  const { out = "." } = values;
  if (out === "") throw new UsageError('--out "": must be a directory');
  const needs = { read: [out], write: [out] };
  requirePermissions(`write to ${quote(out)}`, needs, script, args);

  const { cert, key } = await makeCertificate({ hosts, days });
  const folder = out === "." ? "" : out.replace(/\/*$/, "/");
  const paths = { cert: `${folder}cert.pem`, key: `${folder}key.pem` };
  Deno.mkdirSync(out, { recursive: true });
  for (const path of [paths.cert, paths.key]) makeRoom(path, flags.force);
  write(paths.key, key, 0o600);
  write(paths.cert, cert, 0o644);

  say(`wrote ${paths.cert} and ${paths.key}: for ${hosts.join(", ")}`);
  say(`valid for ${days} days; to use them, in two terminals:`);
  const [mine, secret] = [quoted(paths.cert), quoted(paths.key)];
  const address = "quic://127.0.0.1:62443";
  console.log(`deno task server ${address} --cert ${mine} --key ${secret}`);
  console.log(`deno task client --to ${address} --ca ${mine} "Bonjour"`);
  return EXIT.done;
}

/** A name or an IP address, as a certificate has it. */
function hostOf(text: string): string {
  const host = text.includes(":") ? `[${text}]` : text;
  try {
    const address = parseAddress(`udp://${host}:0`);
    if ("hostname" in address && !text.includes("%")) return address.hostname;
  } catch {
    // Said below.
  }
  throw new UsageError(
    `--host ${
      quote(text)
    }: must be a name or an IP address, such as server.lan`,
  );
}

/** Makes sure that nothing is there. */
function makeRoom(path: string, force: boolean): void {
  try {
    Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (!force) {
    throw new Error(
      `Cannot write ${quote(path)}: it is there already; --force replaces it`,
    );
  }
  Deno.removeSync(path);
}

/** A new file, of that mode from the start. */
function write(path: string, text: string, mode: number): void {
  Deno.writeTextFileSync(path, text, { createNew: true, mode });
}

if (import.meta.main) {
  await runProgram("cert", () => cert(Deno.args, import.meta.filename!));
}
