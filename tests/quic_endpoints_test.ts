import { assertThrows } from "@std/assert";

// When this fails, Deno frees the port by itself, and the workaround in
// lib/carriers/quic/endpoints.ts can go.
Deno.test("Deno still keeps the port of a QUIC endpoint that was closed", () => {
  const hostname = "127.0.0.1";
  const endpoint = new Deno.QuicEndpoint({ hostname, port: 0 });
  const { port } = endpoint.addr;
  endpoint.close();
  assertThrows(
    () => new Deno.QuicEndpoint({ hostname, port }),
    Deno.errors.AddrInUse,
  );
});
