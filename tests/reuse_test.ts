import { assertEquals } from "@std/assert";
import { DatagramSocket } from "../mod.ts";
import { FakeBatchCarrier, run } from "./support/fake_batches.ts";
import { FakeCarrier } from "./support/fakes.ts";

for (const kind of ["one by one", "in batches"] as const) {
  Deno.test(`${kind}: a batch with reuse is whole, although something else is received`, async () => {
    const one = new FakeCarrier({});
    const many = new FakeBatchCarrier();
    const socket = new DatagramSocket(kind === "one by one" ? one : many);
    for (const text of ["aaaa", "bbbb", "cccc"]) {
      one.deliver(text);
      many.deliver(run([text]));
    }
    const batch = socket.batches({ reuse: true }).next()
      .then(({ value }) => value[0].text());
    await undefined;
    const texts = await Promise.all([
      batch,
      socket.receive().then((datagram) => datagram.text()),
      socket.tryReceive().then((datagram) => datagram?.text()),
    ]);
    assertEquals(texts, ["aaaa", "bbbb", "cccc"]);
    socket.close();
  });
}
