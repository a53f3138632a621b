// The server of the tutorial, on Deno.DatagramConn alone: four functions.
//
//   deno run --allow-net=127.0.0.1:62000 examples/tutorial_server.ts

function createSocket(hostname: string, port: number): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port });
}

async function receive(socket: Deno.DatagramConn): Promise<string> {
  const [data] = await socket.receive(new Uint8Array(1500));
  return new TextDecoder().decode(data);
}

function close(socket: Deno.DatagramConn): void {
  socket.close();
}

if (import.meta.main) {
  const socket = createSocket("127.0.0.1", Number(Deno.args[0] ?? 62000));
  console.error("listening on", (socket.addr as Deno.NetAddr).port);
  console.log(await receive(socket));
  close(socket);
}
