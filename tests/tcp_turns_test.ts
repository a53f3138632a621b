import { assert } from "@std/assert";
import { Acceptor } from "../lib/carriers/tcp/acceptor.ts";
import { BoundCarrier } from "../lib/carriers/tcp/bound.ts";
import { Connection } from "../lib/carriers/tcp/connection.ts";
import { checkOptions } from "../lib/carriers/tcp/limits.ts";
import { noLosses } from "../lib/carriers/tcp/losses.ts";
import { Backlogs } from "../lib/carriers/backlog.ts";
import { SOON } from "./support/helpers.ts";

// By then a line ends that a timer should have ended long before.
const TIME_MS = SOON.timeoutMs;
const ADDR = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;

/** A connection from which an endless line arrives without a pause. */
function endlessLine(): Deno.TcpConn {
  const end = performance.now() + TIME_MS;
  return {
    localAddr: ADDR,
    remoteAddr: ADDR,
    read(buffer: Uint8Array) {
      if (performance.now() > end) return Promise.resolve(null);
      return Promise.resolve(buffer.fill(0x61).length);
    },
    close() {},
    ref() {},
    unref() {},
  } as unknown as Deno.TcpConn;
}

Deno.test("timers run while the rest of a line that is too long is skipped, at a bound socket", async () => {
  const never = Promise.withResolvers<never>();
  const conns = [endlessLine()];
  const listener = {
    addr: ADDR,
    accept: () => {
      const conn = conns.pop();
      return conn === undefined ? never.promise : Promise.resolve(conn);
    },
    close: () => never.reject(new Deno.errors.Interrupted("closed")),
    ref() {},
    unref() {},
  } as unknown as Deno.TcpListener;
  const carrier = new BoundCarrier(listener, checkOptions({}), "tcp");
  const [line] = await carrier.receive(new Uint8Array(10));
  assert(line.length === 10);
  await runsTimers(async () => {
    const receiving = carrier.receive().catch(() => {});
    await new Promise((done) => setTimeout(done, 20));
    carrier.close();
    await receiving;
  });
});

Deno.test("timers run while the rest of a line that is too long is skipped, at a connection", async () => {
  const connection = new Connection(endlessLine(), ADDR, {
    options: checkOptions({}),
    backlogs: new Backlogs(65_535),
    losses: noLosses(),
  });
  await runsTimers(async () => {
    const buffer = new Uint8Array(10);
    let isOver = false;
    setTimeout(() => isOver = true, 20);
    while (!isOver && !connection.ended) {
      if (connection.next(buffer) === undefined) await connection.read();
    }
  });
  connection.close();
});

Deno.test("timers run while connections come in without a pause", async () => {
  const end = performance.now() + TIME_MS;
  const never = Promise.withResolvers<never>();
  never.promise.catch(() => {});
  const listener = {
    addr: ADDR,
    accept: () =>
      performance.now() > end
        ? never.promise
        : Promise.resolve({ remoteAddr: ADDR, close() {} }),
    close: () => never.reject(new Deno.errors.Interrupted("closed")),
  } as unknown as Deno.TcpListener;
  let count = 0;
  const acceptor = new Acceptor(listener, {
    accepted: () => count++,
    reset() {},
    failed() {},
  });
  await runsTimers(() => new Promise((done) => setTimeout(done, 20)));
  acceptor.close();
  await acceptor.done;
  assert(count > 0);
});

/** Checks that a program of 20 ms by timers ends before the line does. */
async function runsTimers(program: () => Promise<void>): Promise<void> {
  const start = performance.now();
  await program();
  assert(
    performance.now() - start < TIME_MS,
    "a timer waited for the line",
  );
}
