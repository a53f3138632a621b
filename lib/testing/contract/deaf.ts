import { equal, ok } from "node:assert/strict";
import { errors } from "../../errors.ts";
import type { Abilities, Check } from "./ends.ts";
import { answersTo } from "./peers.ts";
import { readAll, settle } from "./waits.ts";

// Together more than the buffers of a connection hold.
const MESSAGES = 200;
const LONGEST = 65_507;
// A send that takes longer holds up the peers that are served after it.
const HELD_UP_MS = 4000;

/** A peer that does not receive, beside one that does. */
export function deaf(check: Check, { answers, largest }: Abilities): void {
  if (!answers) return;
  const message = new Uint8Array(Math.min(largest, LONGEST)).fill(1);

  check("a peer that does not receive holds up no other peer", async (ends) => {
    const { socket, client, pass } = ends;
    const good = await ends.another();
    const { from } = await pass("hello", client);
    for (let n = 0; n < MESSAGES; n++) {
      try {
        await socket.send(message, from, { timeoutMs: HELD_UP_MS });
      } catch (error) {
        ok(!(error instanceof errors.TimedOut), "a send was held up");
        equal(socket.stats.sendFailed, 1);
        break;
      }
      if (n % 50 === 0) await answersTo(good, `${n}`, ends);
    }
    await answersTo(good, "last", ends);
    equal(client.stats.received, 0);
  }, { overfills: true });

  check("sends to a deaf peer wait for it alone, or reject", async (ends) => {
    const { socket, client, pass } = ends;
    const good = await ends.another();
    const { from } = await pass("hello", client);
    const sends = Array.from(
      { length: MESSAGES },
      () => socket.send(message, from),
    );
    const settled = Promise.allSettled(sends);
    await answersTo(good, "x", ends);
    const { from: to } = await pass("y", good);
    await socket.sendMany([{ data: "z", to }]);
    const reading = readAll(client);
    await settle({ sends: settled });
    await reading.stop();
    const failed = (await settled).filter(({ status }) =>
      status === "rejected"
    );
    equal(socket.stats.sendFailed, failed.length);
  }, { overfills: true });
}
