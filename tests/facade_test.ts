/** The interface of `node:dgram` over real carriers. */
import { once } from "node:events";
import { assert, assertEquals, assertThrows } from "@std/assert";
import dgram, { createSocket, Socket } from "../lib/dgram.ts";
import type { RemoteInfo, Socket as AnySocket } from "../lib/dgram.ts";

/** Binds a socket to loopback. */
async function bound(socket: AnySocket = createSocket("udp4")) {
  const listening = next(socket, "listening");
  socket.bind(0, "127.0.0.1");
  await listening;
  return socket;
}

/** Waits for the next event of a socket. */
function next(socket: AnySocket, event: string): Promise<unknown[]> {
  return once(socket as never, event);
}

/** What a call throws, in Node's words. */
function thrown(call: () => unknown): string {
  const error = assertThrows(call, Error) as Error & { code: string };
  return `${error.code}: ${error.message}`;
}

Deno.test("a datagram arrives as a Buffer, with its sender", async () => {
  await using socket = await bound();
  const { port } = socket.address();
  const sent = new Promise((done) =>
    socket.send("Bonjour", port, "127.0.0.1", (...outcome) => done(outcome))
  );
  const [data, from] = await next(socket, "message") as [
    Uint8Array,
    RemoteInfo,
  ];
  assertEquals(`${data}`, "Bonjour");
  const address = "127.0.0.1";
  assertEquals(from, { address, family: "IPv4", port, size: 7 });
  assertEquals(await sent, [null, 7]);
});

Deno.test("the module has what node:dgram exports", () => {
  assertEquals(dgram.createSocket, createSocket);
  const socket = new Socket("udp4");
  assert(socket instanceof Socket && createSocket("udp4") instanceof Socket);
  socket.close();
});

Deno.test("a socket that is not bound is bound by its first send", async () => {
  await using receiver = await bound();
  await using sender = createSocket("udp4");
  const { port } = receiver.address();
  const texts: string[] = [];
  const all = new Promise<void>((done) =>
    receiver.on("message", (data) => {
      if (texts.push(`${data}`) === 3) done();
    })
  );
  for (const text of ["un", "deux", "trois"]) sender.send(text, port);
  await all;
  assertEquals(texts, ["un", "deux", "trois"]);
});

Deno.test("strings, views, lists of them, and parts can be sent", async () => {
  await using socket = await bound();
  const { port } = socket.address();
  const bytes = new TextEncoder().encode("abcdef");
  const send = async (...args: unknown[]) => {
    (socket.send as (...args: unknown[]) => void)(...args);
    return `${(await next(socket, "message"))[0]}`;
  };
  assertEquals(await send(bytes, port), "abcdef");
  assertEquals(await send(new DataView(bytes.buffer, 2, 2), port), "cd");
  assertEquals(await send(["ab", bytes.subarray(2)], port), "abcdef");
  assertEquals(await send(bytes, 1, 3, port), "bcd");
  assertEquals(await send([], port), "");
  socket.connect(port);
  await next(socket, "connect");
  assertEquals(await send(bytes, 4, 2), "ef");
  assertEquals(await send("connected"), "connected");
});

Deno.test("a connected socket hears only its peer", async () => {
  await using peer = await bound();
  await using stranger = await bound();
  await using socket = await bound();
  socket.connect(peer.address().port, "127.0.0.1");
  await next(socket, "connect");
  assertEquals(socket.remoteAddress(), peer.address());
  const { port } = socket.address();
  stranger.send("stranger", port);
  await new Promise((sent) => stranger.send("stranger", port, sent));
  peer.send("peer", port);
  assertEquals(`${(await next(socket, "message"))[0]}`, "peer");
  socket.disconnect();
  stranger.send("stranger", port);
  assertEquals(`${(await next(socket, "message"))[0]}`, "stranger");
});

Deno.test("wrong calls throw Node's errors", async () => {
  const socket = createSocket("udp4");
  assertEquals(
    thrown(() => socket.send("x", 0)),
    "ERR_SOCKET_BAD_PORT: Port should be > 0 and < 65536. Received type number (0).",
  );
  assertEquals(
    thrown(() => socket.send(5 as never, 9)),
    'ERR_INVALID_ARG_TYPE: The "buffer" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received type number (5)',
  );
  assertEquals(
    thrown(() => socket.send("x", 2, 1, 9)),
    'ERR_BUFFER_OUT_OF_BOUNDS: "offset" is outside of buffer bounds',
  );
  assertEquals(thrown(() => socket.address()), "EBADF: getsockname EBADF");
  assertEquals(
    thrown(() => socket.disconnect()),
    "ERR_SOCKET_DGRAM_NOT_CONNECTED: Not connected",
  );
  assertEquals(
    thrown(() => createSocket("tcp" as never)),
    "ERR_SOCKET_BAD_TYPE: Bad socket type specified. Valid types are: udp4, udp6",
  );
  await bound(socket);
  assertEquals(
    thrown(() => socket.bind()),
    "ERR_SOCKET_ALREADY_BOUND: Socket is already bound",
  );
  assertEquals(
    thrown(() => socket.addMembership("10.0.0.1")),
    "EINVAL: addMembership EINVAL",
  );
  assertEquals(
    thrown(() => socket.setMulticastTTL(256)),
    "EINVAL: setMulticastTTL EINVAL",
  );
  socket.close();
  for (
    const call of [
      () => socket.close(),
      () => socket.send("x", 9),
      () => socket.bind(),
      () => socket.connect(9),
      () => socket.setTTL(1),
      () => socket.address(),
    ]
  ) assertEquals(thrown(call), "ERR_SOCKET_DGRAM_NOT_RUNNING: Not running");
  await next(socket, "close");
});

Deno.test("an address that is taken is an error event, and the socket can try again", async () => {
  await using first = await bound();
  const { port } = first.address();
  await using second = createSocket("udp4");
  second.bind(port, "127.0.0.1");
  const [error] = await next(second, "error") as [Error & { code: string }];
  assertEquals(
    [error.code, error.message],
    ["EADDRINUSE", `bind EADDRINUSE 127.0.0.1:${port}`],
  );
  await bound(second);
});

Deno.test("what waits for a bind that fails gets the error", async () => {
  await using first = await bound();
  const socket = createSocket("udp4");
  const failed = next(socket, "error");
  socket.bind(first.address().port, "127.0.0.1");
  const sent = new Promise<Error | null>((done) => socket.send("x", 9, done));
  const closed = new Promise<void>((done) => void socket.close(done));
  const [error] = await failed;
  assertEquals(await sent, error as Error);
  await closed;
});

Deno.test("a datagram that is too long fails with EMSGSIZE", async () => {
  await using socket = await bound();
  const error = await new Promise<Error | null>((done) =>
    socket.send(new Uint8Array(70_000), 9, "127.0.0.1", done)
  );
  assertEquals(error?.message, "send EMSGSIZE 127.0.0.1:9");
});

Deno.test("broadcast needs setBroadcast", async () => {
  await using socket = await bound();
  const error = await new Promise<Error | null>((done) =>
    socket.send("x", 9, "255.255.255.255", done)
  );
  assertEquals(error?.message, "send EACCES 255.255.255.255:9");
});

Deno.test("after close the address is free, and nothing arrives", async () => {
  const socket = await bound();
  const { port } = socket.address();
  socket.on("message", () => {
    throw new Error("closed");
  });
  socket.send("late", port);
  socket.close();
  await next(socket, "close");
  await using again = createSocket("udp4");
  again.bind(port, "127.0.0.1");
  await next(again, "listening");
});

Deno.test("a listener may close its socket, and gets nothing after that", async () => {
  const socket = await bound();
  const { port } = socket.address();
  let count = 0;
  socket.on("message", () => {
    count++;
    socket.close();
  });
  for (let i = 0; i < 20; i++) socket.send("x", port);
  await next(socket, "close");
  assertEquals(count, 1);
});

Deno.test("a signal closes the socket, also one that is aborted already", async () => {
  const abort = new AbortController();
  const { signal } = abort;
  const socket = await bound(createSocket({ type: "udp4", signal }));
  abort.abort();
  await next(socket, "close");
  await next(createSocket({ type: "udp4", signal }), "close");
});

Deno.test("blocked peers are neither heard nor sent to", async () => {
  const list = { check: (address: string) => address === "127.0.0.1" };
  await using deaf = await bound(
    createSocket({ type: "udp4", receiveBlockList: list }),
  );
  await using mute = await bound(
    createSocket({ type: "udp4", sendBlockList: list }),
  );
  deaf.on("message", () => {
    throw new Error("blocked");
  });
  await new Promise((sent) => mute.send("x", deaf.address().port, sent))
    .then((error) =>
      assertEquals((error as { code: string }).code, "ERR_IP_BLOCKED")
    );
  await new Promise((sent) => deaf.send("x", deaf.address().port, sent));
});

Deno.test("a look-up of the program's is used, and its error told once", async () => {
  const failure = new Error("no such host");
  await using socket = await bound(createSocket({
    type: "udp4",
    lookup: (host, _, callback) =>
      host === "nowhere" ? callback(failure, "") : callback(null, "127.0.0.1"),
  }));
  const { port } = socket.address();
  socket.send("somewhere", port, "somewhere");
  assertEquals(`${(await next(socket, "message"))[0]}`, "somewhere");
  assertEquals(
    await new Promise((sent) => socket.send("x", port, "nowhere", sent)),
    failure,
  );
  socket.send("x", port, "nowhere");
  assertEquals(await next(socket, "error"), [failure]);
});

Deno.test("a listener that sends to its own socket does not stop the event loop", async () => {
  await using socket = await bound();
  const { port } = socket.address();
  socket.on("message", (data) => socket.send(data, port));
  socket.send("round and round", port);
  await new Promise((wake) => setTimeout(wake, 5));
});

Deno.test("what belongs to groups can be set, all at once", async () => {
  await using socket = await bound();
  const errors: unknown[] = [];
  socket.on("error", (error) => errors.push(error));
  assertEquals(socket.setMulticastTTL(3), 3);
  assertEquals(socket.setMulticastLoopback(true), true);
  socket.setMulticastInterface("0.0.0.0");
  for (let i = 0; i < 20; i++) {
    socket.send("x", socket.address().port);
    await next(socket, "message");
  }
  assertEquals(errors, []);
});

Deno.test("a thousand sockets open, answer and close", async () => {
  await using server = await bound();
  server.on("message", (data, { port }) => server.send(data, port));
  const { port } = server.address();
  const sockets: AnySocket[] = [];
  for (let i = 0; i < 1000; i++) {
    const socket = await bound();
    sockets.push(socket);
    socket.send(`${i}`, port);
    assertEquals(`${(await next(socket, "message"))[0]}`, `${i}`);
  }
  await Promise.all(sockets.map((socket) => socket[Symbol.asyncDispose]()));
});
