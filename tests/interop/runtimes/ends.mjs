// How a program ends that has sockets over node:dgram, on any runtime.
//
//   ends.mjs CORE unref|link|send|close [PORT]
import os from "node:os";
import process from "node:process";

const [, , core, mode, port] = process.argv;
const { bind, connect, dgram } = await import(core);
const options = { carrier: dgram() };

if (mode === "unref") {
  const socket = bind("udp://127.0.0.1:0", options);
  socket.receive().then(() => console.log("received"), () => {});
  socket.unref();
} else if (mode === "link") {
  const all = Object.entries(os.networkInterfaces());
  const [host] = all.flatMap(([name, addresses]) =>
    addresses.filter(({ address }) => address.startsWith("fe80:"))
      .map(({ address }) => `${address.split("%")[0]}%${name}`)
  );
  console.log(JSON.stringify(host === undefined ? null : await trip(host)));
} else {
  const socket = await connect(`udp://127.0.0.1:${port}`, options);
  const sends = Array.from({ length: 50 }, (_, n) => socket.send(`${n}`));
  if (mode === "close") {
    await socket[Symbol.asyncDispose]();
    await Promise.allSettled(sends);
    const { sent, sendFailed, sending } = socket.stats;
    console.log(JSON.stringify({ sent, sendFailed, sending }));
  }
}

/** Makes a round trip between two sockets at a link-local address. */
async function trip(host) {
  const limit = { timeoutMs: 20_000 };
  const server = bind(`udp://[${host}]:0`, options);
  await server.opened;
  const client = await connect(`udp://[${host}]:${server.addr.port}`, options);
  await client.send("?");
  const { from } = await server.receive(limit);
  await server.send("!", from);
  const answer = (await client.receive(limit)).text();
  await Promise.all(
    [client, server].map((each) => each[Symbol.asyncDispose]()),
  );
  return { host, from: from.hostname, answer };
}
