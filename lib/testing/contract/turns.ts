import { equal, ok } from "node:assert/strict";
import { isConnected } from "../../addr.ts";
import { type Clock, systemClock } from "../../clock.ts";
import type { Abilities, Check } from "./ends.ts";
import { arrived, readAll } from "./waits.ts";

// A loop without turns ends by this.
const MANY = 100_000;
// Fewer than a system's buffer holds.
const WAITING = 200;
// By then a timer of 1 ms fires, if the program works 1 ms on each datagram.
const LATEST = 50;
const WORK_MS = 1;

/** The event loop turns: timers fire while a loop sends or receives. */
export function turns(check: Check, { largest, lossless }: Abilities): void {
  check("timers fire while sendMany sends", async ({ socket, client }) => {
    const reading = readAll(socket);
    const timer = new Timer(socket.clock);
    const count = await client.sendMany(until(timer, "x"));
    ok(timer.fired);
    equal(client.stats.sent, count);
    await reading.stop();
  }, { overfills: true });

  check(
    "timers fire while no message of sendMany can be sent",
    async (ends) => {
      const { client } = ends;
      const timer = new Timer(client.clock);
      const tooLong = new Uint8Array(largest + 1).fill(1);
      await client.sendMany(until(timer, tooLong)).catch(() => {});
      ok(timer.fired);
      equal(client.stats.sent, 0);
    },
  );

  check("timers fire while datagrams that wait are received", async (ends) => {
    const { socket, client, next } = ends;
    const sending = client.sendMany(Array<string>(WAITING).fill("x"));
    await arrived(ends);
    // On a virtual clock no time passes while a program works.
    const isVirtual = socket.clock !== systemClock;
    const timer = new Timer(socket.clock);
    for (let n = 0; n < LATEST && !timer.fired && !isVirtual; n++) {
      await next(socket);
      work();
    }
    ok(timer.fired || isVirtual);
    await ends.texts(socket, WAITING - socket.stats.received);
    await sending;
  });

  if (lossless) {
    check(
      "tryReceive finds what waits, also when a turn is due",
      async (ends) => {
        const { socket, client, bound } = ends;
        const sending = client.sendMany(Array<string>(LATEST).fill("x"));
        await arrived(ends);
        const { sent } = client.stats;
        do work(); while (await socket.tryReceive() !== undefined);
        // Over connections, what was sent may still be on its way.
        if (!isConnected(bound)) ok(socket.stats.received >= sent);
        await ends.texts(socket, LATEST - socket.stats.received);
        await sending;
      },
    );
  }
}

class Timer {
  fired = false;

  constructor(clock: Clock) {
    clock.after(1, () => this.fired = true);
  }
}

/** Returns the same message again and again until the timer has fired. */
function* until<T>(timer: Timer, message: T): Iterable<T> {
  for (let n = 0; n < MANY && !timer.fired; n++) yield message;
}

function work(): void {
  for (const end = performance.now() + WORK_MS; performance.now() < end;);
}
