/**
 * The program `deno task cert`: makes a certificate for development.
 *
 * @module
 */
import { resolve } from "node:path";
import { parseAddress } from "../address/address.ts";
import { quote } from "../errors.ts";
import { makeCertificate } from "../testing/certificate.ts";
import * as clientOptions from "./client_options.ts";
import {
  noArguments,
  parseOptions,
  path,
  UsageError,
  wholeNumber,
} from "./options.ts";
import { command, requirePermissions } from "./permissions.ts";
import { EXIT, isAnswered, runProgram, said, say } from "./program.ts";
import { serverNeeds } from "./server_needs.ts";
import { quoted } from "./shell.ts";
import * as serverOptions from "./server_options.ts";

const HOSTS = ["localhost", "127.0.0.1", "::1"];
const MAX_DAYS = 36_500;
const ADDRESS = "quic://127.0.0.1:62443";
const PROJECT = resolve(import.meta.dirname!, "../..");

const HELP = `Make a certificate for development, and its key.

Usage: deno task cert [options]

  --host NAME        also for this name or IP address (repeatable)
                     [localhost, 127.0.0.1 and ::1]
  --days N           how long it is valid                            [365]
  --out DIR          where to write cert.pem and key.pem               [.]
  --force            replace existing files
  -h, --help, --version

Prints the commands that use it. Keep key.pem private; give cert.pem to clients.
The certificate is self-signed, so only clients that were given it trust it.
Exit codes: 0 done; 1 bad usage; 2 not written.

  deno task cert --host server.lan --days 30`;

/** The program `cert`. Returns its exit code. */
export async function cert(
  args: readonly string[],
  script: string,
): Promise<number> {
  const { values, flags, lists, rest } = parseOptions(args, {
    values: ["days", "out"],
    flags: ["force"],
    lists: ["host"],
  });
  if (isAnswered(flags, HELP)) return EXIT.done;
  noArguments(rest);
  const days = wholeNumber("days", values.days, 1, 365, MAX_DAYS);
  const hosts = [...new Set([...HOSTS, ...(lists.host ?? []).map(hostOf)])];
  const out = path("out", values.out ?? ".");
  const isHere = out === ".";
  const folder = isHere ? "" : out.replace(/\/*$/, "/");
  const files = { cert: `${folder}cert.pem`, key: `${folder}key.pem` };
  // To make a folder takes the permission for all of it.
  const touched = isHere ? Object.values(files) : [out];
  const needs = { read: touched, write: touched };
  requirePermissions([[`write to ${quote(out)}`, needs]], { script, args });

  const { cert, key } = await makeCertificate({ hosts, days });
  if (!isHere) Deno.mkdirSync(out, { recursive: true });
  for (const file of Object.values(files)) makeRoom(file, flags.force);
  write(files.key, key, 0o600);
  write(files.cert, cert, 0o644);

  say(`wrote ${files.cert} and ${files.key}: for ${hosts.join(", ")}`);
  say(`valid for ${days} days; to use them, in two terminals:`);
  // Before the commands that it announces.
  await said();
  const canBeTasks = isHere && Deno.cwd() === PROJECT;
  for (const line of canBeTasks ? tasks(files) : commands(files)) {
    console.log(line);
  }
  return EXIT.done;
}

/** The files of a certificate. */
interface Files {
  cert: string;
  key: string;
}

/** Returns the tasks that use the files, if they are where tasks may read them. */
function tasks(files: Files): string[] {
  return [
    ["deno", "task", "server", ...serverArgs(files)],
    ["deno", "task", "client", ...clientArgs(files)],
  ].map((words) => words.map(quoted).join(" "));
}

/** Returns the commands that use files elsewhere, which no task may read. */
function commands(files: Files): string[] {
  const [forServer, forClient] = [serverArgs(files), clientArgs(files)];
  const server = serverOptions.serverSettings(
    parseOptions(forServer, serverOptions.OPTIONS),
  );
  const client = clientOptions.clientSettings(
    parseOptions(forClient, clientOptions.OPTIONS),
  );
  return [
    command(serverNeeds(server), {
      script: `${PROJECT}/server.ts`,
      args: forServer,
    }),
    command(clientOptions.clientNeeds(client), {
      script: `${PROJECT}/client.ts`,
      args: forClient,
    }),
  ];
}

function serverArgs({ cert, key }: Files): string[] {
  return [ADDRESS, "--cert", cert, "--key", key];
}

function clientArgs({ cert }: Files): string[] {
  return ["--to", ADDRESS, "--ca", cert, "Bonjour"];
}

/** Returns a name or an IP address as a certificate has it. */
function hostOf(text: string): string {
  const host = text.includes(":") ? `[${text}]` : text;
  try {
    const address = parseAddress(`udp://${host}:0`);
    if ("hostname" in address && !text.includes("%")) return address.hostname;
  } catch {
    // Reported below.
  }
  throw new UsageError(
    `--host ${
      quote(text)
    }: must be a name or an IP address, such as server.lan`,
  );
}

/** Makes sure that the file does not exist. */
function makeRoom(path: string, force: boolean): void {
  try {
    Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  if (!force) {
    throw new Error(
      `Cannot write ${quote(path)}: it exists already; --force replaces it`,
    );
  }
  Deno.removeSync(path);
}

/** Writes a new file, which has that mode from the start. */
function write(path: string, text: string, mode: number): void {
  Deno.writeTextFileSync(path, text, { createNew: true, mode });
}

if (import.meta.main) {
  await runProgram("cert", () => cert(Deno.args, import.meta.filename!));
}
