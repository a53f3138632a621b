/**
 * The program `deno task demo`: a server and a client in one process, on
 * loopback, and the output of the server.
 *
 * @module
 */
import { bold } from "@std/fmt/colors";
import { formatAddress } from "../address/address.ts";
import { escapeControls } from "../escape.ts";
import { bind, connect } from "../open.ts";
import { formatter } from "./format.ts";
import { Output } from "./output.ts";
import { noArguments, parseOptions } from "./options.ts";
import { EXIT, isAnswered, runProgram } from "./program.ts";
import { describeReceived, describeSent } from "./totals.ts";

const MESSAGE = "Bonjour je vous envoi un message !";
const HOSTILE = "\x1b[2J\x1b[31mcleared your screen?\r\nand a second line";
const MAX_SIZE = 100;

const HELP = `Show a server and a client in one process, in a second.

Usage: deno task demo
  -h, --help, --version`;

const encoder = new TextEncoder();

/** The program `demo`. Returns its exit code. */
async function demo(args: readonly string[]): Promise<number> {
  const { flags, rest } = parseOptions(args, { values: [], flags: [] });
  if (isAnswered(flags, HELP)) return EXIT.done;
  noArguments(rest);
  const output = new Output();
  const write = formatter("text");
  const print = (text: string) => output.write(encoder.encode(`${text}\n`));
  const title = (text: string) => print(`\n${bold(text)}`);

  await using server = bind("udp://127.0.0.1:0", { maxSize: MAX_SIZE });
  await using client = await connect(server.addr);
  const show = async () => {
    const datagram = await server.receive({ timeoutMs: 1000 });
    output.write(write(datagram, new Date()));
    return datagram;
  };
  print(
    `A server listens on ${formatAddress(server.addr)}, a client sends to it.`,
  );

  title("A message");
  await client.send(MESSAGE);
  await show();

  title("A message that would control the terminal: it is printed escaped");
  await client.send(HOSTILE);
  await show();

  title(`A message of 150 bytes, to a server that takes ${MAX_SIZE} of each`);
  await client.send("x".repeat(150));
  await show();

  title("A receive that times out after 50 ms loses no message");
  await server.receive({ timeoutMs: 50 })
    .catch((error) => print(escapeControls(error.message)));
  await client.send("I was sent a little later");
  await show();

  title("A request, and its reply");
  const reply = client.request("ping", { timeoutMs: 1000 });
  await server.send("pong", (await show()).from);
  output.write(write(await reply, new Date()));

  title("Totals");
  print(`the server ${describeReceived(server.stats)}`);
  print(`the client ${describeSent(client.stats)}`);
  print("\nTry it yourself, in two terminals: deno task server");
  print(`                                   deno task client "${MESSAGE}"`);
  await output.flush();
  return EXIT.done;
}

if (import.meta.main) await runProgram("demo", () => demo(Deno.args));
