// Opens sockets over TCP and does not close them: does the program end?
import { bind, connect } from "../../../mod.ts";

const [mode] = Deno.args;
const socket = bind("tcp://127.0.0.1:0");
if (mode === "unreferenced") {
  const client = await connect(socket.addr);
  await client.send("x");
  await socket.receive();
  for (const each of [socket, client]) {
    each.receive().catch(() => {});
    each.unref();
  }
}
if (mode === "waits") {
  setTimeout(async () => (await connect(socket.addr)).send("x"), 50);
  console.log((await socket.receive()).text());
}
console.log("the end");
