import { assertEquals, assertRejects } from "@std/assert";
import { serve } from "../mod.ts";
import { fakeBound, FakeCarrier, fakeClient } from "./support/fakes.ts";
import { turn } from "./support/helpers.ts";

for (const error of ["ConnectionReset", "ConnectionRefused"] as const) {
  Deno.test(`a bound socket counts ${error} of receive as unreachable, and goes on`, async () => {
    const { carrier, socket } = fakeBound();
    carrier.fail(new Deno.errors[error]("(os error 10054)"));
    carrier.deliver("a");
    carrier.fail(new Deno.errors[error]("(os error 10054)"));
    carrier.deliver("b");
    const got: string[] = [];
    for await (const datagram of socket) {
      got.push(datagram.text());
      if (got.length === 2) break;
    }
    assertEquals([got, socket.stats.unreachable], [["a", "b"], 2]);
    assertEquals(socket.stats.received, 2);
    socket.close();
  });

  Deno.test(`a server whose clients vanish (${error}) reports nothing, and goes on`, async () => {
    const carrier = new FakeCarrier({});
    const errors: unknown[] = [];
    const server = serve("127.0.0.1:0", ({ data }) => data, {
      carrier: { listen: () => carrier },
      onError: (error) => void errors.push(error),
    });
    for (let n = 0; n < 1000; n++) carrier.fail(new Deno.errors[error]("gone"));
    carrier.deliver("x");
    while (carrier.sent.length === 0) await turn();
    assertEquals([errors, server.stats.unreachable], [[], 1000]);
    await server.shutdown();
  });

  Deno.test(`a connected socket rejects with ${error} of receive`, async () => {
    const { carrier, socket } = fakeClient();
    carrier.fail(new Deno.errors[error]("gone"));
    await assertRejects(() => socket.receive(), Deno.errors[error]);
    assertEquals(socket.stats.unreachable, 0);
    socket.close();
  });
}
