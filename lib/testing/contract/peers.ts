import { deepEqual, equal, rejects } from "node:assert/strict";
import { errors } from "../../errors.ts";
import { bind, connect } from "../../open.ts";
import type { ConnectedSocket } from "../../socket/connected_socket.ts";
import { type Abilities, type Check, type Ends, TRIES } from "./ends.ts";

/** Several peers, answers to them, and a peer that does not exist. */
export function peers(check: Check, abilities: Abilities): void {
  const { answers, sendToUnbound } = abilities;

  check("two peers reach one socket", async ({ another, client, pass }) => {
    const other = await another();
    equal((await pass("a", client)).text(), "a");
    equal((await pass("b", other)).text(), "b");
  });

  if (answers) check("each peer gets its own answer", answersEach);
  else {
    check("a bound socket rejects to answer", async ({ socket, pass }) => {
      const { from } = await pass("x");
      await rejects(() => socket.send("y", from), errors.NotSupported);
      equal(socket.stats.sendFailed, 1);
      equal((await pass("z")).text(), "z");
    });
  }

  check("a send to an unbound address harms no other", async (ends) => {
    const { carrier, address, pass } = ends;
    const gone = bind(address(), { carrier });
    await gone.opened;
    await using client = await connect(gone.addr, { carrier });
    await gone[Symbol.asyncDispose]();
    const end = await client.send("x").then(() => "resolves", () => "rejects");
    if (sendToUnbound !== "either") equal(end, sendToUnbound);
    const { sent, sendFailed } = client.stats;
    deepEqual([sent, sendFailed], end === "resolves" ? [1, 0] : [0, 1]);
    equal((await pass("x")).text(), "x");
  });
}

async function answersEach(ends: Ends): Promise<void> {
  const { client, another } = ends;
  const clients = [client, await another()];
  for (const [i, peer] of clients.entries()) {
    await answersTo(peer, `${i}`, ends);
  }
  for (const { stats: { received, dropped } } of clients) {
    deepEqual([received > 0, dropped["stranger"]], [true, 0]);
  }
}

/** Sends to the socket, which answers the same; again if that is lost. */
export async function answersTo(
  peer: ConnectedSocket,
  text: string,
  { socket, pass, next }: Ends,
): Promise<void> {
  for (let tries = 1;; tries++) {
    const { data, from } = await pass(text, peer);
    await socket.send(data, from);
    const answer = await next(peer);
    if (answer === undefined && tries < TRIES) continue;
    equal(answer?.text(), text);
    return;
  }
}
