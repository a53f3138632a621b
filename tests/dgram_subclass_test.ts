import { assert, assertEquals } from "@std/assert";
import dgram from "node:dgram";
import type { RemoteInfo } from "node:dgram";
import { simulateNetwork } from "../lib/testing/mod.ts";

const OPTIONS = { dgram: true };

/** Makes a class that answers by methods of its own and of its socket. */
function makeEcho() {
  return class Echo extends dgram.Socket {
    answered = 0;

    constructor() {
      // The types of Node have no constructor for it.
      super(...["udp4"] as unknown as []);
      this.on("message", (data, from) => this.answer(data, from));
    }

    answer(data: Uint8Array, { port, address }: RemoteInfo) {
      this.answered++;
      this.send(data, port, address);
    }

    override close(done?: () => void) {
      return super.close(done);
    }
  };
}

type EchoClass = ReturnType<typeof makeEcho>;

/** Asks a server of that class once. */
async function ask(Echo: EchoClass): Promise<string> {
  const server = new Echo();
  await new Promise<void>((done) => server.bind(0, "127.0.0.1", done));
  assert(server instanceof Echo && server instanceof dgram.Socket);
  const client = dgram.createSocket("udp4");
  const reply = new Promise<string>((done) =>
    client.once("message", (data) => done(`${data}`))
  );
  client.send("ping", server.address().port, "127.0.0.1");
  const text = await reply;
  assertEquals(server.answered, 1);
  for (const socket of [client, server]) {
    await new Promise<void>((done) => void socket.close(done));
  }
  return text;
}

Deno.test("a class that extends Socket in a run is on the network in each run", async () => {
  const first = simulateNetwork();
  const Echo = await first.run(async () => {
    const Echo = await first.real(makeEcho);
    assertEquals(await ask(Echo), "ping");
    return Echo;
  }, OPTIONS);
  assertEquals(first.stats.delivered, 2);
  const second = simulateNetwork();
  assertEquals(await second.run(() => ask(Echo), OPTIONS), "ping");
  assertEquals(second.stats.delivered, 2);
});

Deno.test("a class that extends Socket in a run is the platform's outside", async () => {
  const network = simulateNetwork();
  const Echo = await network.run(makeEcho, OPTIONS);
  assertEquals(await ask(Echo), "ping");
  assertEquals(network.stats.sent, 0);
});

Deno.test("a class that extends the stand-in's Socket before a run is on the network in it", async () => {
  const { Socket } = await import("../lib/testing/dgram.ts");
  class Other extends Socket {
    constructor() {
      super("udp4");
    }
    hello(port: number) {
      this.send("hello", port, "127.0.0.1");
    }
  }
  const network = simulateNetwork();
  await network.run(async () => {
    const socket = new Other();
    await new Promise<void>((done) =>
      void socket.bind(0, "127.0.0.1", () => done())
    );
    const heard = new Promise((done) => void socket.once("message", done));
    socket.hello(socket.address().port);
    assertEquals(`${await heard}`, "hello");
    socket.close();
  }, OPTIONS);
  assertEquals(network.stats.delivered, 1);
});
