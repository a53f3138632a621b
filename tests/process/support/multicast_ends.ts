// Sends to groups by two interfaces, in a network namespace that has them, and
// prints what a neighbor sees; then joins groups for one source only.
import { assertEquals, assertRejects } from "@std/assert";
import { bind, type CarrierSource, dgram } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";
import { SOON } from "../../support/helpers.ts";

const PORT = 5353;
const CARRIERS = { offload, dgram };
const FAMILIES = [
  {
    any: "0.0.0.0",
    group: "239.1.2.3",
    on: { left: "10.1.0.1", right: "10.2.0.1" },
  },
  {
    any: "[::]",
    group: "ff05::1:3",
    on: { left: "::%left", right: "::%right" },
  },
];

const sniffer = new Deno.Command("python3", {
  args: [
    "tests/process/support/sniff.py",
    `${PORT}`,
    "8",
    "left-peer",
    "right-peer",
  ],
  stdout: "piped",
}).spawn();
const lines = sniffer.stdout.pipeThrough(new TextDecoderStream()).getReader();
let seen = "";
while (!seen.includes("\n")) seen += (await lines.read()).value;
assertEquals(seen, "ready\n");
for (const [name, make] of Object.entries(CARRIERS)) {
  for (const { any, group, on } of FAMILIES) {
    for (const [side, multicastInterface] of Object.entries(on)) {
      const multicastTtl = side === "left" ? 5 : 255;
      // Deno's node:dgram does not set the hops of IPv6.
      const hops = name === "dgram" && any === "[::]" ? {} : { multicastTtl };
      const carrier = make({ multicastInterface, ...hops });
      await using socket = bind(`udp://${any}:0`, { carrier });
      const hostname = group;
      const to = { transport: "udp", hostname, port: PORT } as const;
      await socket.send(name, to);
    }
  }
}
for (;;) {
  const { value, done } = await lines.read();
  if (done) break;
  seen += value;
}
await sniffer.status;
console.log(seen.trim().split("\n").slice(1).sort().join("\n"));

/** Hears a group from one of two sources only. */
async function fromOneSource(
  carrier: CarrierSource,
  any: string,
  group: string,
  on: string | number,
  [wanted, other]: [string, string],
) {
  await using member = bind(`udp://${any}:0`, { carrier });
  await using _joined = await member.joinMulticast(group, {
    interface: on,
    source: wanted.replace(/[[\]]/g, ""),
  });
  const { port } = member.addr;
  const to = { transport: "udp", hostname: group, port } as const;
  for (
    const [source, text] of [[other, "other"], [wanted, "wanted"]] as const
  ) {
    const leaving = {
      multicastInterface: typeof on === "number" ? "::%left" : on,
    };
    await using sender = bind(`udp://${source}:0`, {
      carrier: offload(leaving),
    });
    await sender.send(text, to);
  }
  assertEquals((await member.receive(SOON)).text(), "wanted");
  assertEquals(await member.tryReceive(), undefined);
}

const link = new Deno.Command("ip", { args: ["-o", "link", "show", "left"] });
const left = parseInt(new TextDecoder().decode((await link.output()).stdout));
const ipv4 = ["0.0.0.0", "232.1.2.3", "10.1.0.1"] as const;
await fromOneSource(offload(), ...ipv4, ["10.1.0.1", "10.1.0.2"]);
await fromOneSource(dgram(), ...ipv4, ["10.1.0.1", "10.1.0.2"]);
const ipv6 = ["[fd00:1::1]", "[fd00:1::2]"] as [string, string];
await fromOneSource(offload(), "[::]", "ff35::1:3", left, ipv6);
console.log("from one source only");

await assertRejects(
  async () => void await bind("udp://[::]:0", { carrier: dgram({ ttl: 5 }) }),
  Deno.errors.NotSupported,
  "does not set the hops of IPv6, so ttl would be ignored; offload({ ttl }) sets it",
);
