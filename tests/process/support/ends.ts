// Ends although a socket is open, or waits for one datagram and prints it: as its
// argument states.
import { bind, type Datagram, serve } from "../../../mod.ts";

const ADDRESS = "udp://127.0.0.1:0";
const [mode = ""] = Deno.args;

const print = (datagram: Datagram) => {
  console.log(datagram.text());
  Deno.exit();
};

function start(): Deno.NetAddr {
  if (mode.startsWith("server")) {
    const server = serve(ADDRESS, print);
    server.unref();
    if (mode === "server, ref") server.ref();
    return server.addr;
  }
  const socket = bind(ADDRESS);
  if (mode === "unref, receive") socket.unref();
  if (mode.startsWith("give up")) {
    socket.receive({ timeoutMs: 1 }).catch(() => {
      if (mode === "give up, receive") socket.receive().then(print);
      console.error(`idle ${socket.addr.port}`);
    });
    return socket.addr;
  }
  socket.receive().then(print);
  if (mode.startsWith("receive, unref")) socket.unref();
  if (mode.endsWith(", ref")) socket.ref();
  return socket.addr;
}

const { port } = start();
if (!mode.startsWith("give up")) console.error(`idle ${port}`);
