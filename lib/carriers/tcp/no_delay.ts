/**
 * Makes each message leave at once. Otherwise the system holds back a short one
 * until the peer has confirmed what was sent before, which it does 40 ms later if
 * it has nothing to send itself (RFC 896, RFC 1122 section 4.2.3.2). The TLS
 * connections that a server accepts have no such setting
 * (https://github.com/denoland/deno/issues/13617), so their messages are gathered:
 * see `gathers` of the backlog. Remove that when they have one.
 */
export function sendAtOnce(conn: Deno.Conn): void {
  if (!("setNoDelay" in conn)) return;
  try {
    (conn as Deno.TcpConn).setNoDelay(true);
  } catch {
    // The connection has failed, which reading from it reports.
  }
}
