/** The part of a NATS server that greets its clients. */

// What a broker lets its clients sign.
export const NONCE = "a nonce";

/** Greets a client of NATS, and returns its answer with the credentials. */
export async function greeted(broker: Deno.TcpListener): Promise<string> {
  using conn = await broker.accept();
  const info = {
    ...{ server_id: "x", version: "2.9.0", max_payload: 1024 },
    nonce: NONCE,
  };
  const line = `INFO ${JSON.stringify({ ...info, headers: true, proto: 1 })}`;
  await conn.write(new TextEncoder().encode(`${line}\r\n`));
  const buffer = new Uint8Array(4096);
  const size = await conn.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, size));
}
