/** The interface of `node:dgram` on the simulated network. */
import dgram from "node:dgram";
import dns from "node:dns";
import { once } from "node:events";
import os from "node:os";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { RemoteInfo, Socket } from "../lib/dgram.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";
import * as standIn from "../lib/testing/dgram.ts";
import { consoleErrors } from "./support/helpers.ts";

/** Waits for the next event of a socket. */
function next(socket: Socket, event: string): Promise<unknown[]> {
  return once(socket as never, event);
}

/** Waits for the next datagram of a socket. */
async function message(socket: Socket): Promise<[string, RemoteInfo]> {
  const [data, from] = await next(socket, "message");
  return [`${data}`, from as RemoteInfo];
}

Deno.test("sockets of network.dgram talk over the network, with its faults", async () => {
  const network = simulateNetwork({ seed: 7, delayMs: { min: 20, max: 20 } });
  await network.run(async () => {
    await using server = network.dgram("10.0.0.1").createSocket("udp4");
    await using client = network.dgram("10.0.0.2").createSocket("udp4");
    server.bind(53);
    await next(server, "listening");
    assertEquals(server.address().address, "0.0.0.0");
    client.send("ping", 53, "10.0.0.1");
    const [text, from] = await message(server);
    assertEquals([text, from.address], ["ping", "10.0.0.2"]);
    server.send("pong", from.port, from.address);
    const address = "10.0.0.1";
    const info: RemoteInfo = { address, family: "IPv4", port: 53, size: 4 };
    assertEquals(await message(client), ["pong", info]);
    assertEquals(network.clock.now(), 40);
  });
  assertEquals(network.trace.map(({ to }) => to)[0], "udp://10.0.0.1:53");
});

Deno.test("what the program does not get is counted by reason", async () => {
  const network = simulateNetwork();
  const at = (host: string) => network.dgram(host).createSocket("udp4");
  const passed = () =>
    new Promise<void>((go) => void network.clock.after(1, go));
  const blocked = { check: (host: string) => host === "10.0.0.3" };
  await network.run(async () => {
    await using server = network.dgram("10.0.0.1").createSocket({
      ...{ type: "udp4", receiveBlockList: blocked as never },
    });
    await using peer = at("10.0.0.2");
    await using other = at("10.0.0.3");
    server.bind(53);
    await next(server, "listening");
    const none = { stranger: 0, denied: 0, unheard: 0 };
    assertEquals(server.getDropped(), none);
    const send = (socket: Socket) =>
      new Promise<void>((sent) => {
        socket.send("x", 53, "10.0.0.1", () => sent());
      });
    await send(peer);
    await passed();
    assertEquals(server.getDropped(), { ...none, unheard: 1 });
    server.on("message", () => {});
    await send(other);
    await passed();
    server.connect(peer.address().port, "10.0.0.2");
    await next(server, "connect");
    await send(other);
    await send(peer);
    await passed();
    const all = { stranger: 1, denied: 1, unheard: 1 };
    assertEquals(server.getDropped(), all);
    server.close();
    assertEquals(server.getDropped(), all);
  });
});

Deno.test("a run with dgram replaces node:dgram, and puts it back after a throw", async () => {
  const before = { ...dgram };
  const network = simulateNetwork();
  const failing = network.run(async () => {
    const { createSocket } = dgram as unknown as typeof standIn;
    await using socket = createSocket("udp4");
    assert(socket instanceof dgram.Socket);
    const { Socket } = dgram as unknown as typeof standIn;
    assert(new Socket("udp4") instanceof Socket);
    socket.bind(7);
    await next(socket, "listening");
    socket.send("to itself", 7);
    assertEquals((await message(socket))[0], "to itself");
    throw new Error("of the program");
  }, { dgram: true });
  await assertRejects(() => failing, Error, "of the program");
  assertEquals(dgram.createSocket, before.createSocket);
  assertEquals(dgram.Socket, before.Socket);
  assertEquals(network.stats.delivered, 1);
});

Deno.test("the stand-in for node:dgram is on the network in a run, and real outside", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using socket = standIn.createSocket("udp4").bind(7);
    await using other = new standIn.Socket({ type: "udp4" });
    other.send("x", 7);
    await message(socket);
  }, { dgram: true });
  assertEquals(network.stats.delivered, 1);
  const real = standIn.createSocket("udp4");
  assert(real instanceof (dgram.Socket as unknown as typeof standIn.Socket));
  real.close();
});

Deno.test("a member of node:dgram that was kept in a run is real after it", async () => {
  const network = simulateNetwork();
  const { createSocket } = await network.run(() => ({ ...dgram }), {
    dgram: true,
  });
  const socket = createSocket("udp4");
  assert(socket instanceof dgram.Socket);
  socket.close();
});

Deno.test("a group's members on all hosts get what is sent to it", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    const sockets: Socket[] = [];
    for (const host of ["10.0.0.1", "10.0.0.2", "10.0.0.2"]) {
      const { createSocket } = network.dgram(host);
      const socket = createSocket({ type: "udp4", reuseAddr: true });
      socket.bind(5353);
      await next(socket, "listening");
      socket.addMembership("224.0.0.251");
      sockets.push(socket);
    }
    const [first] = sockets;
    const all = Promise.all(sockets.map(message));
    first!.send("to all", 5353, "224.0.0.251");
    assertEquals((await all).map(([text]) => text), Array(3).fill("to all"));
    first!.setMulticastLoopback(false);
    first!.on("message", () => {
      throw new Error("from itself");
    });
    const others = Promise.all(sockets.slice(1).map(message));
    first!.send("to others", 5353, "224.0.0.251");
    await others;
    sockets[2]!.dropMembership("224.0.0.251");
    sockets[2]!.on("message", () => {
      throw new Error("no member");
    });
    const second = message(sockets[1]!);
    first!.send("to one", 5353, "224.0.0.251");
    await second;
    await Promise.all(sockets.map((socket) => socket[Symbol.asyncDispose]()));
  });
  assertEquals(network.stats.delivered, 4);
});

Deno.test("a group of IPv6 is the same in any spelling, with and without a zone", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using member = network.dgram("fe80::1").createSocket("udp6");
    member.bind(5353);
    await next(member, "listening");
    member.addMembership("FF02:0::FB", "::%eth0");
    await using sender = network.dgram("fe80::2").createSocket("udp6");
    sender.send("to all", 5353, "ff02::fb%eth0");
    const [text, from] = await message(member);
    assertEquals([text, from.address, from.family], [
      ...["to all", "fe80::2", "IPv6"],
    ]);
  });
});

Deno.test("a membership for one source hears no other", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using member = network.dgram("10.0.0.1").createSocket("udp4");
    member.bind(9);
    await next(member, "listening");
    member.addSourceSpecificMembership("10.0.0.2", "232.0.0.1");
    await using other = network.dgram("10.0.0.3").createSocket("udp4");
    await using source = network.dgram("10.0.0.2").createSocket("udp4");
    await new Promise((sent) => other.send("other", 9, "232.0.0.1", sent));
    source.send("source", 9, "232.0.0.1");
    assertEquals((await message(member))[0], "source");
  });
});

Deno.test("a broadcast reaches all hosts, or those of a network", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    const hosts = ["10.0.0.1", "10.0.0.2", "10.0.9.1"];
    const sockets = hosts.map((host) =>
      network.dgram(host).createSocket("udp4").bind(67)
    );
    await Promise.all(sockets.map((socket) => next(socket, "listening")));
    const [first] = sockets;
    first!.setBroadcast(true);
    const all = Promise.all(sockets.map(message));
    first!.send("to all", 67, "255.255.255.255");
    await all;
    sockets[2]!.on("message", () => {
      throw new Error("of another network");
    });
    const near = Promise.all(sockets.slice(0, 2).map(message));
    first!.send("to the near", 67, "10.0.0.255");
    await near;
    await Promise.all(sockets.map((socket) => socket[Symbol.asyncDispose]()));
  });
});

Deno.test("host.run says on which host a program's sockets are, and its look-ups", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    const program = async () => {
      await Promise.resolve();
      const { eth0 = [] } = os.networkInterfaces();
      assertEquals(eth0[0]?.address, "10.0.0.2");
      const address = await new Promise((done) =>
        dns.lookup("server", (_, address) => done(address))
      );
      assertEquals(address, "server");
      await using socket = network.dgram().createSocket("udp4");
      socket.send("x", 53, "server");
      await next(socket, "listening");
      await new Promise((wake) => setTimeout(wake, 1));
    };
    await using server = network.dgram("server").createSocket("udp4").bind(53);
    const arrived = message(server);
    await network.host("10.0.0.2").run(program);
    assertEquals((await arrived)[1].address, "10.0.0.2");
  }, { dgram: true });
});

Deno.test("of several sockets at one address the last one gets what is sent to it", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    const { createSocket } = network.dgram();
    const options = { type: "udp4", reuseAddr: true } as const;
    await using first = createSocket(options).bind(7);
    await next(first, "listening");
    first.on("message", () => {
      throw new Error("the first");
    });
    await using alone = createSocket("udp4").bind(7);
    const [error] = await next(alone, "error") as [Error];
    assertEquals(error.message, "bind EADDRINUSE 0.0.0.0:7");
    const last = createSocket(options).bind(7);
    await next(last, "listening");
    last.send("x", 7);
    await message(last);
    await last[Symbol.asyncDispose]();
  });
});

Deno.test("a crash of its host closes a socket", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    const host = network.host("10.0.0.1");
    const socket = network.dgram("10.0.0.1").createSocket("udp4").bind(7);
    await next(socket, "listening");
    const closed = next(socket, "close");
    host.crash();
    await closed;
  });
});

Deno.test("the sockets of node:dgram that a program has left are reported", async () => {
  const network = simulateNetwork();
  const lines = await consoleErrors(() =>
    network.run(async () => {
      const { createSocket } = dgram as unknown as typeof standIn;
      await next(createSocket("udp4").bind(7), "listening");
    }, { dgram: true })
  );
  assertEquals(lines.flat(), [
    "The program has left open sockets: udp://0.0.0.0:7 (receiving) (simulated network, seed 1)",
  ]);
});

Deno.test("what a listener throws is uncaught, and ends no socket", async () => {
  // The runners of Node and Bun would take it for a failure of the test.
  if (!navigator.userAgent.startsWith("Deno")) return;
  const network = simulateNetwork();
  const uncaught = new Promise<unknown>((caught) => {
    const catchIt = (event: Event) => {
      event.preventDefault();
      caught((event as ErrorEvent).error);
    };
    addEventListener("error", catchIt, { once: true });
  });
  await consoleErrors(() =>
    network.run(async () => {
      await using socket = network.dgram().createSocket("udp4").bind(7);
      await next(socket, "listening");
      socket.once("message", () => {
        throw new Error("of a listener");
      });
      socket.send("first", 7);
      assertMatch(`${await uncaught}`, /^Error: of a listener/);
      socket.send("second", 7);
      assertEquals((await message(socket))[0], "second");
    })
  );
});

Deno.test("a flood of 20,000 datagrams is sent and counted to the last", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    await using socket = network.dgram().createSocket("udp4").bind(7);
    await next(socket, "listening");
    let arrived = 0;
    socket.on("message", () => arrived++);
    let sent = 0;
    const all = new Promise<void>((done) => {
      for (let i = 0; i < 20_000; i++) {
        socket.send("x", 7, () => ++sent === 20_000 && done());
      }
      assertEquals(socket.getSendQueueCount(), 0);
    });
    await all;
    await new Promise((wake) => setTimeout(wake, 10));
    assertEquals(arrived, network.stats.delivered);
    assertEquals(socket.getSendQueueSize(), 0);
  });
  const { delivered, queueFull } = network.stats;
  assertEquals(delivered + queueFull, 20_000);
});
