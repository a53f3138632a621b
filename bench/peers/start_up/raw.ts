// Binds a bare Deno socket, and prints its port.
const conn = Deno.listenDatagram({
  transport: "udp",
  hostname: "127.0.0.1",
  port: 0,
});
console.log((conn.addr as Deno.NetAddr).port);
await conn.receive();
