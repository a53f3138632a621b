import { assertEquals } from "@std/assert";
import { bind } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { sendMarks } from "../../bench/lib/mark.ts";
import { LOOPBACK, SOON } from "../support/helpers.ts";
import { Program } from "./support/programs.ts";

const COUNT = 200_000;

Deno.test("each of many numbered datagrams, in bursts with pauses, arrives once and in order", async () => {
  // As much as an ordinary user may have on a system with its default limits.
  const carrier = offload({ receiveBuffer: 212_992 });
  await using socket = bind(LOOPBACK, { carrier });
  const address = `udp://127.0.0.1:${socket.addr.port}`;
  const script = "tests/process/support/offload_numbered.ts";
  await using sender = new Program(script, [address, `${COUNT}`], {
    flags: ["--allow-net=127.0.0.1", "--allow-ffi"],
  });
  let expected = 0;
  let received = 0;
  let lost = 0;
  const count = (data: Uint8Array) => {
    const n = new DataView(data.buffer, data.byteOffset).getUint32(0);
    assertEquals([n >= expected, data.length], [true, 8], `datagram ${n}`);
    lost += n - expected;
    expected = n + 1;
    received++;
  };
  const receive = async () => {
    for await (const batch of socket.batches(SOON)) {
      for (const { data } of batch) {
        if (data.length === 0) return;
        count(data);
      }
    }
  };
  const receiving = receive();
  await Promise.race([sender.ended(), receiving]);
  // The kernel counts each run that it drops as one.
  const drops = await socket.kernelDrops() ?? NaN;
  await sendMarks(() => socket.send("", socket.addr), receiving);
  lost += COUNT - expected;
  assertEquals(received + lost, COUNT);
  assertEquals([lost >= drops, lost <= 128 * drops], [true, true]);
});
