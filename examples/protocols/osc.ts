// Sends a message of Open Sound Control 1.0, or shows those that arrive.
//
//   deno run --allow-net=127.0.0.1 examples/protocols/osc.ts 127.0.0.1:9000
//   deno run --allow-net=127.0.0.1 examples/protocols/osc.ts 127.0.0.1:9000 /fader ifs 1 0.5 on

import { connect, escapeControls, formatAddress } from "@pli/datagram";
import { decode, type Message } from "./osc_decode.ts";
import { collectAt, program } from "./program.ts";

/** Encodes a message with values of the types i, f, s, T, F, N and I. */
export function encode({ path, types, values }: Message) {
  const text = (value: string) => {
    const bytes = new TextEncoder().encode(value);
    return [...bytes, ...new Uint8Array(4 - bytes.length % 4)];
  };
  if (!path.startsWith("/")) throw new Error(`A path begins with "/": ${path}`);
  const number = new DataView(new ArrayBuffer(4));
  const bytes = [...text(path), ...text(`,${types}`)];
  const left = [...values];
  for (const type of types) {
    if ("TFNI".includes(type)) continue;
    const value = left.shift();
    if (value === undefined) throw new Error(`No value for type ${type}`);
    if (!"ifs".includes(type)) throw new Error(`Not a type: ${type}`);
    if (type !== "s" && Number.isNaN(Number(value))) {
      throw new Error(`Not a number: ${value}`);
    }
    if (type === "i") number.setInt32(0, Number(value));
    if (type === "f") number.setFloat32(0, Number(value));
    bytes.push(...type === "s" ? text(value) : new Uint8Array(number.buffer));
  }
  return Uint8Array.from(bytes);
}

function listen(address: string): Promise<void> {
  return collectAt(address, ({ datagram: { data, from } }) => {
    for (const { path, types, values } of decode(data)) {
      const shown = [formatAddress(from), path, types, ...values].join("  ");
      console.log(escapeControls(shown));
    }
  });
}

if (import.meta.main) {
  const usage = "osc.ts HOST:PORT [/PATH] [TYPES] [VALUES...]";
  await program(usage, async (at = "", path, types = "", ...values) => {
    if (path === undefined) return await listen(at);
    const message = encode({ path, types, values });
    await using client = await connect(at);
    await client.send(message);
  });
}
