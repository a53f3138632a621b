// The client of the tutorial, on Deno.DatagramConn alone: four functions.
//
//   deno run --allow-net=127.0.0.1 examples/tutorial_client.ts

function createSocket(hostname: string): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
}

async function send(
  socket: Deno.DatagramConn,
  message: string,
  port: number,
): Promise<void> {
  const to = { transport: "udp", hostname: "127.0.0.1", port } as const;
  await socket.send(new TextEncoder().encode(message), to);
}

function close(socket: Deno.DatagramConn): void {
  socket.close();
}

if (import.meta.main) {
  const socket = createSocket("127.0.0.1");
  const port = Number(Deno.args[0] ?? 62000);
  await send(socket, "Bonjour je vous envoi un message !", port);
  close(socket);
}
