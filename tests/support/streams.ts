import type { DatagramSocket } from "../../mod.ts";
import { bytesOf } from "./helpers.ts";

/** Any free port on loopback, over TCP. */
export const ANY = "tcp://127.0.0.1:0";

/** A bare connection to a socket. It is closed at the end of the block. */
export async function dial({ addr }: { addr: Deno.NetAddr }) {
  const { hostname, port } = addr;
  const conn = await Deno.connect({ hostname, port });
  return Object.assign(conn, {
    /** Writes all of the text. */
    say: async (data: string) => {
      for (let bytes = bytesOf(data); bytes.length > 0;) {
        bytes = bytes.subarray(await conn.write(bytes));
      }
    },
  });
}

/** Reads everything until the other end closes. */
export async function readAll(conn: Deno.Conn): Promise<string> {
  return await new Response(conn.readable).text();
}

/** Receives until a count is no longer 0, and returns it. */
export async function counted(
  socket: DatagramSocket,
  count: (stats: DatagramSocket["stats"]) => number | undefined,
): Promise<number> {
  for (;;) {
    const n = count(socket.stats);
    if (n) return n;
    await socket.receive({ timeoutMs: 10 }).catch(() => {});
  }
}
