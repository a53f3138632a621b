/**
 * The program `deno task demo`: a server and a client in one process, on
 * loopback, with what the server would print.
 *
 * @module
 */
import { bold } from "@std/fmt/colors";
import { formatAddress } from "../address/address.ts";
import { escapeControls } from "../escape.ts";
import { bind, connect } from "../open.ts";
import { formatter } from "./format.ts";
import { Output } from "./output.ts";
import { runProgram } from "./program.ts";
import { describeReceived, describeSent } from "./totals.ts";

const MESSAGE = "Bonjour je vous envoi un message !";
const HOSTILE = "\x1b[2J\x1b[31mcleared your screen?\r\nand a second line";
const MAX_SIZE = 100;

const encoder = new TextEncoder();

async function demo(): Promise<number> {
  const output = new Output();
  const write = formatter("text");
  const tell = (text: string) => output.write(encoder.encode(`${text}\n`));
  const title = (text: string) => tell(`\n${bold(text)}`);

  await using server = bind("udp://127.0.0.1:0", { maxSize: MAX_SIZE });
  await using client = await connect(server.addr);
  const show = async () => {
    const datagram = await server.receive({ timeoutMs: 1000 });
    output.write(write(datagram, new Date()));
    return datagram;
  };
  tell(
    `A server listens on ${formatAddress(server.addr)}, a client sends to it.`,
  );

  title("A message");
  await client.send(MESSAGE);
  await show();

  title("A message that would take over the terminal: it is shown escaped");
  await client.send(HOSTILE);
  await show();

  title(`A message of 150 bytes, to a server that keeps ${MAX_SIZE} of each`);
  await client.send("x".repeat(150));
  await show();

  title("A receive that gives up after 50 ms takes no message with it");
  await server.receive({ timeoutMs: 50 })
    .catch((error) => tell(escapeControls(error.message)));
  await client.send("I came a little later");
  await show();

  title("A request, and its reply");
  const reply = client.request("ping", { timeoutMs: 1000 });
  await server.send("pong", (await show()).from);
  output.write(write(await reply, new Date()));

  title("In all");
  tell(`the server ${describeReceived(server.stats)}`);
  tell(`the client ${describeSent(client.stats)}`);
  tell("\nNow yourself, in two terminals: deno task server");
  tell(`                                deno task client "${MESSAGE}"`);
  await output.flush();
  return 0;
}

if (import.meta.main) await runProgram("demo", demo);
