import { bind, type BindOptions, type DatagramSocket } from "../../mod.ts";
import {
  quic,
  type QuicOptions,
  type QuicSource,
} from "../../lib/carriers/quic.ts";
import { clientHello } from "../../lib/carriers/quic/hello.ts";
import { certificate } from "./certificates.ts";
export { until } from "./helpers.ts";

/** One certificate for all tests without special needs. */
export const { cert, key } = await certificate();

/** A server on loopback, and its source, which counts. */
export function quicServer(
  options: QuicOptions = {},
  bindOptions?: BindOptions,
): { server: DatagramSocket; source: QuicSource } {
  const source = quic({ cert, key, ...options });
  const at = "quic://127.0.0.1:0";
  const server = bind(at, { carrier: source, ...bindOptions });
  return { server, source };
}

/** A client's source that trusts the tests' certificate. */
export function quicClient(options: QuicOptions = {}): QuicSource {
  return quic({ caCerts: [cert], ...options });
}

/** A connection by Deno's own means, before its hello. */
export async function rawConnection(
  port: number,
  { alpn = "pli/1", hostname = "127.0.0.1" } = {},
): Promise<Deno.QuicConn & Disposable> {
  const endpoint = new Deno.QuicEndpoint({ hostname, port: 0 });
  const conn = await Deno.connectQuic({
    ...{ hostname, port, endpoint },
    alpnProtocols: [alpn],
    caCerts: [cert],
  });
  return Object.assign(conn, {
    [Symbol.dispose]() {
      conn.close();
      endpoint.close();
    },
  });
}

/** Opens the first stream of a connection and sends bytes on it. */
export async function sayFirst(
  conn: Deno.QuicConn,
  bytes: Uint8Array = clientHello(
    { reliable: false, largest: 1000 },
    new Uint8Array(),
  ),
): Promise<ReadableStreamDefaultReader<Uint8Array>> {
  const stream = await conn.createBidirectionalStream();
  await stream.writable.getWriter().write(bytes);
  return stream.readable.getReader();
}
