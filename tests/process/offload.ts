import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  bind,
  connect,
  type DatagramSocket,
  SocketClosedError,
} from "../../mod.ts";
import { offload, type OffloadOptions } from "../../lib/carriers/offload.ts";
import { carrierContract } from "../../lib/testing/mod.ts";
import { LOOPBACK, pattern, SOON } from "../support/helpers.ts";

carrierContract("offload", () => offload(), { sendToUnbound: "rejects" });

carrierContract("offload over IPv6", () => offload(), {
  address: () => "udp://[::1]:0",
  largest: 65_527,
  sendToUnbound: "rejects",
});

/** Receives at least `count` datagrams and returns their bytes. */
async function receiveAll(socket: DatagramSocket, count: number) {
  const got: Uint8Array[] = [];
  for await (const batch of socket.batches(SOON)) {
    got.push(...batch.map(({ data }) => data));
    if (got.length >= count) break;
  }
  return got;
}

for (
  const [from, to] of [[true, true], [true, false], [false, true]] as const
) {
  const name = (on: boolean) => on ? "offload" : "plain udp";
  Deno.test(`runs of one length and of many arrive whole and in order, ${name(from)} to ${name(to)}`, async () => {
    const carrier = (on: boolean) => on ? offload() : undefined;
    await using socket = bind(LOOPBACK, { carrier: carrier(to) });
    await using client = await connect(socket.addr, { carrier: carrier(from) });
    const runs = [
      Array(64).fill(100),
      Array(65).fill(100),
      [100, 100, 99, 100, 0, 0, 1, 1, 2],
      [1400, 1400, 700],
      [30_000, 30_000, 30_000],
      [65_507, 1, 65_507],
      [20, 10, 20, 10],
    ];
    for (const sizes of runs) {
      const receiving = receiveAll(socket, sizes.length);
      assertEquals(await client.sendMany(sizes.map(pattern)), sizes.length);
      const got = await receiving;
      assertEquals(got.map((data) => data.length), sizes);
      for (const data of got) assertEquals(data, pattern(data.length));
    }
  });
}

Deno.test("a batch to many peers gives each one its own messages", async () => {
  const carrier = offload();
  await using socket = bind(LOOPBACK, { carrier });
  await using stack = new AsyncDisposableStack();
  const peers = Array.from(
    { length: 20 },
    () => stack.use(bind(LOOPBACK, { carrier: offload() })),
  );
  const messages = Array.from({ length: 100 }, (_, i) => ({
    data: `${i}`,
    to: peers[i * 7 % peers.length]!.addr,
  }));
  assertEquals(await socket.sendMany(messages), 100);
  for (const peer of peers) {
    for (const { data } of messages.filter(({ to }) => to === peer.addr)) {
      const datagram = await peer.receive(SOON);
      assertEquals([datagram.text(), datagram.from], [data, socket.addr]);
    }
  }
});

Deno.test("offload looks up host names; an unknown one fails only its own message", async () => {
  await using socket = bind(LOOPBACK, { carrier: offload() });
  const { port } = socket.addr;
  const error = await assertRejects(
    () =>
      socket.sendMany([
        { data: "a", to: socket.addr },
        { data: "b", to: `udp://localhost:${port}` },
        { data: "c", to: `udp://nowhere.invalid:${port}` },
        { data: "d", to: socket.addr },
      ]),
    AggregateError,
    "Cannot send 1 of 4 messages",
  );
  assert(error.errors[0] instanceof Deno.errors.NotFound);
  const got = await receiveAll(socket, 3);
  assertEquals(got.map((data) => new TextDecoder().decode(data)), [
    "a",
    "b",
    "d",
  ]);
});

Deno.test("a send that the peer refuses rejects, and the socket still works", async () => {
  const gone = bind(LOOPBACK);
  const { addr } = gone;
  await using client = await connect(addr, { carrier: offload() });
  await gone[Symbol.asyncDispose]();
  for (let n = 1; n <= 3; n++) {
    await assertRejects(() => client.send("x"), Deno.errors.ConnectionRefused);
    assertEquals([client.stats.sent, client.stats.sendFailed], [0, n]);
  }
  await assertRejects(
    () => client.request("x", { timeoutMs: 1 }),
    Deno.errors.ConnectionRefused,
  );
  await using back = bind(addr);
  await client.send("y");
  assertEquals((await back.receive(SOON)).text(), "y");
});

Deno.test("of a batch that the peer refuses, one message fails", async () => {
  const gone = bind(LOOPBACK);
  await using client = await connect(gone.addr, { carrier: offload() });
  await gone[Symbol.asyncDispose]();
  await assertRejects(
    () => client.sendMany(Array(10).fill("x")),
    AggregateError,
    "Cannot send 1 of 10 messages",
  );
  assertEquals([client.stats.sent, client.stats.sendFailed], [9, 1]);
});

Deno.test("kernelDrops counts each dropped datagram", async () => {
  const SENT = 20_000;
  await using socket = bind(LOOPBACK, { carrier: offload() });
  await using client = await connect(socket.addr, { carrier: offload() });
  assertEquals(await socket.kernelDrops(), 0);
  // Of different lengths, so that each is dropped by itself.
  const messages = Array.from({ length: SENT }, (_, i) => pattern(i % 2 + 1));
  await client.sendMany(messages);
  while (await socket.tryReceive() !== undefined);
  const drops = await socket.kernelDrops();
  assert(drops !== undefined && drops > 0);
  assert(socket.stats.received + drops <= SENT);
  socket.close();
  assertEquals(await socket.kernelDrops(), undefined);
});

Deno.test("a larger receive buffer holds more", async () => {
  const kept = async (receiveBuffer?: number) => {
    await using socket = bind(LOOPBACK, {
      carrier: offload({ receiveBuffer }),
    });
    await using client = await connect(socket.addr);
    for (let n = 0; n < 2000; n++) await client.send("x");
    while (await socket.tryReceive() !== undefined);
    return socket.stats.received;
  };
  const [small, usual, large] = [
    await kept(4096),
    await kept(),
    await kept(2_000_000),
  ];
  assert(small < usual && usual < large, `${[small, usual, large]}`);
  assertEquals(large, 2000);
});

for (
  const [options, message] of [
    [{ receiveBuffer: 0 }, "receiveBuffer must be a whole number"],
    [{ sendBuffer: -1 }, "sendBuffer must be a whole number"],
    [{ receiveBuffer: 1.5 }, "given 1.5"],
    [{ sendBuffer: 2 ** 40 }, "from 1 to 1073741824"],
  ] as const
) {
  Deno.test(`offload(${JSON.stringify(options)}) is refused`, () => {
    assertThrows(() => offload(options), RangeError, message);
  });
}

for (
  const [options, message] of [
    [null, "options must be an object: given null"],
    [{ reusePort: "yes" }, 'reusePort must be true or false: given "yes"'],
    [{ receiveBuffer: "1k" }, 'given "1k"'],
  ] as const
) {
  Deno.test(`offload(${JSON.stringify(options)}), from JavaScript, is refused`, () => {
    assertThrows(
      () => offload(options as unknown as OffloadOptions),
      Error,
      message,
    );
  });
}

Deno.test("sockets with reusePort share a port, one without does not", async () => {
  const carrier = offload({ reusePort: true });
  await using first = bind(LOOPBACK, { carrier });
  await using second = bind(first.addr, { carrier });
  const sockets = [first, second];
  assertThrows(
    () => bind(first.addr, { carrier: offload() }),
    Deno.errors.AddrInUse,
  );
  const got = new Set<DatagramSocket>();
  for (let n = 0; n < 200 && got.size < sockets.length; n++) {
    await using client = await connect(first.addr);
    await client.send("x");
    const receiver = await Promise.any(sockets.map(async (socket) => {
      const datagram = await socket.tryReceive();
      if (datagram === undefined) throw new Error("not here");
      return socket;
    }));
    got.add(receiver);
  }
  assertEquals(got.size, sockets.length);
});

Deno.test("offload binds what plain udp binds, with the same errors", async () => {
  const carrier = offload();
  await using any = bind("udp://0.0.0.0:0", { carrier });
  await using any6 = bind("udp://[::]:0", { carrier });
  await using local = bind("udp://localhost:0", { carrier });
  assertEquals(any.addr.hostname, "0.0.0.0");
  assertEquals(any6.addr.hostname, "::");
  assertEquals(local.addr.hostname, "127.0.0.1");
  // An IPv6 socket receives from IPv4 peers too.
  await using client = await connect(
    `udp://127.0.0.1:${any6.addr.port}`,
    { carrier },
  );
  await client.send("x");
  const { from } = await any6.receive(SOON);
  assertEquals(from.hostname, "::ffff:127.0.0.1");
  await any6.send("y", from);
  assertEquals((await client.receive(SOON)).text(), "y");
  assertThrows(
    () => bind("udp://192.0.2.1:0", { carrier }),
    Deno.errors.AddrNotAvailable,
    "Cannot bind udp://192.0.2.1:0",
  );
  await assertRejects(
    () => connect("udp://224.0.0.1:5", { carrier }),
    TypeError,
    "a multicast group",
  );
  assertThrows(
    () => bind("udp://pli.example:0", { carrier }),
    Deno.errors.NotSupported,
    "no other names",
  );
});

Deno.test("closing while a thread polls ends the wait and frees the port, once", async () => {
  for (let n = 0; n < 50; n++) {
    const socket = bind(LOOPBACK, { carrier: offload() });
    const { addr } = socket;
    const waiting = assertRejects(() => socket.receive(), SocketClosedError);
    // Sometimes long enough for the thread to poll already.
    if (n % 3 === 0) await new Promise((go) => setTimeout(go, n % 7));
    socket.close();
    socket.close();
    await waiting;
    await socket[Symbol.asyncDispose]();
    await using again = bind(addr, { carrier: offload() });
    assertEquals(again.addr, addr);
  }
});

Deno.test("an unreferenced offload socket that waits still receives", async () => {
  await using socket = bind(LOOPBACK, { carrier: offload() });
  socket.unref();
  const receiving = socket.receive(SOON);
  await using client = await connect(socket.addr);
  await client.send("x");
  assertEquals((await receiving).text(), "x");
  const later = socket.receive(SOON);
  socket.ref();
  await client.send("y");
  assertEquals((await later).text(), "y");
});

Deno.test("timers fire while a flood is received", async () => {
  await using socket = bind(LOOPBACK, { carrier: offload() });
  await using client = await connect(socket.addr, { carrier: offload() });
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const flood = function* () {
    while (ticks < 20) yield "flood";
  };
  const sending = client.sendMany(flood());
  for await (const _ of socket.batches()) if (ticks >= 20) break;
  clearInterval(timer);
  assert(await sending > 0);
});

Deno.test("an offload carrier also works as a plain carrier", async () => {
  const carrier = offload().listen({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  const { addr } = carrier;
  for (const text of ["ab", "cd", "e", ""]) {
    await carrier.send(new TextEncoder().encode(text), addr);
  }
  const got = [];
  for (const size of [10, 1, 10, 10]) {
    const [data] = await carrier.receive(new Uint8Array(size));
    got.push(new TextDecoder().decode(data));
  }
  assertEquals(got, ["ab", "c", "e", ""]);
  carrier.close();
  await carrier.closed;
});

Deno.test("without --allow-ffi or --allow-net, offload reports which one is missing", async () => {
  const program = `
    import { bind } from "${import.meta.resolve("../../mod.ts")}";
    import { offload } from "${
    import.meta.resolve("../../lib/carriers/offload.ts")
  }";
    bind("udp://127.0.0.1:0", { carrier: offload() });
    console.log("bound");
  `;
  const run = async (...flags: string[]) => {
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-prompt",
        "--quiet",
        ...flags,
        `data:application/typescript,${encodeURIComponent(program)}`,
      ],
    }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  };
  const imports = `--allow-import`;
  assertStringIncludes(await run(imports), "run again with the --allow-ffi");
  assertStringIncludes(
    await run(imports, "--allow-ffi"),
    'Requires net access to "127.0.0.1:0"',
  );
});
