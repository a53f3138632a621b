import { assertEquals } from "@std/assert";
import { Handshakes } from "../lib/carriers/quic/handshakes.ts";

/** A connection that notes that it was closed. */
class FakeConn {
  isClosed = false;

  close(): void {
    this.isClosed = true;
  }
}

function conn(): Deno.QuicConn {
  return new FakeConn() as unknown as Deno.QuicConn;
}

/** Handshakes, and how often each client was late, as it becomes known. */
function watched(limitMs: number) {
  const late: Deno.QuicConn[] = [];
  let onLate = () => {};
  const handshakes = new Handshakes(limitMs, (conn) => {
    late.push(conn);
    onLate();
  });
  const until = (count: number) =>
    new Promise<void>((resolve) => {
      onLate = () => void (late.length >= count && resolve());
      onLate();
    });
  return { handshakes, late, until };
}

Deno.test("each client whose handshake takes too long is late once, in order", async () => {
  const { handshakes, late, until } = watched(20);
  const [first, second, third] = [conn(), conn(), conn()];
  handshakes.add(first);
  handshakes.add(second);
  await until(2);
  // The others stay until they are removed; they are not late again.
  handshakes.add(third);
  await until(3);
  assertEquals(late, [first, second, third]);
  assertEquals(handshakes.size, 3);
  for (const conn of late) handshakes.delete(conn);
  assertEquals(handshakes.size, 0);
  handshakes.close();
});

Deno.test("a client whose handshake is done in time is never late", async () => {
  const { handshakes, late, until } = watched(20);
  const [done, slow] = [conn(), conn()];
  handshakes.add(done);
  handshakes.delete(done);
  handshakes.add(slow);
  await until(1);
  assertEquals(late, [slow]);
  handshakes.close();
});

Deno.test("closing closes the clients in their handshake and leaves no timer", () => {
  const { handshakes, late } = watched(60_000);
  const clients = [conn(), conn()];
  for (const client of clients) handshakes.add(client);
  handshakes.close();
  assertEquals(
    clients.map((client) => (client as unknown as FakeConn).isClosed),
    [true, true],
  );
  assertEquals(late, []);
});

Deno.test("a callback may remove any client while late ones are found", async () => {
  const clients = [conn(), conn(), conn()];
  const late: Deno.QuicConn[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const handshakes = new Handshakes(20, (conn) => {
    late.push(conn);
    for (const client of clients) handshakes.delete(client);
    resolve();
  });
  for (const client of clients) handshakes.add(client);
  await promise;
  assertEquals(late, clients.slice(0, 1));
  assertEquals(handshakes.size, 0);
  handshakes.close();
});
