import { assertEquals } from "@std/assert";
import type { CarrierSource } from "../mod.ts";
import { measure, reflect } from "../lib/measure.ts";
import { tcp } from "../lib/carriers/tcp.ts";

const CARRIERS: readonly [address: string, carrier?: CarrierSource][] = [
  ["udp://127.0.0.1:0"],
  ["udp://[::1]:0"],
  ["tcp://127.0.0.1:0", tcp({ framing: "length" })],
];

for (const [address, carrier] of CARRIERS) {
  Deno.test(`measure asks a reflector over ${address.split(":", 1)[0]}, at ${address}`, async () => {
    await using reflector = reflect(address, { carrier });
    await using running = measure(reflector.addr, {
      carrier,
      rate: 500,
      count: 50,
      size: [44, 300],
      oneWay: true,
    });
    const { sent, received, lost, reflector: kind } = await running.result;
    assertEquals([sent, kind], [50, "pli"]);
    // Nothing is lost on loopback; a busy machine may be late.
    assertEquals(received + lost.late, 50);
  });
}
