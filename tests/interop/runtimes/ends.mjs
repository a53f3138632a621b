// How a program ends that has sockets over node:dgram, on any runtime.
//
//   ends.mjs CORE unref|send|close [PORT]
import process from "node:process";

const [, , core, mode, port] = process.argv;
const { bind, connect, dgram } = await import(core);
const options = { carrier: dgram() };

if (mode === "unref") {
  const socket = bind("udp://127.0.0.1:0", options);
  socket.receive().then(() => console.log("received"), () => {});
  socket.unref();
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
