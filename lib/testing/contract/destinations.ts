import { equal } from "node:assert/strict";
import { type Addr, copyAddr, type NetAddr } from "../../addr.ts";
import type { ConnectedSocket } from "../../socket/connected_socket.ts";
import { type Abilities, type Check, type Ends, TRIES } from "./ends.ts";
import { spoil } from "./values.ts";

/** A destination is the one that was given to `send`, whatever becomes of it. */
export function destinations(check: Check, { answers }: Abilities): void {
  if (!answers) return;

  check("a destination that changes after send has no effect", async (ends) => {
    const { socket } = ends;
    await toEach(ends, async (peers) => {
      const to = copyAddr(peers[0].from);
      for (const { from, name } of peers) {
        Object.assign(to, from);
        const sending = socket.send(name, to);
        spoil(to);
        await sending;
      }
    });
  });

  check("sendMany of one changing object reaches each peer", async (ends) => {
    const { socket } = ends;
    await toEach(ends, async (peers) => {
      const message = { data: "", to: copyAddr(peers[0].from) as Addr };
      await socket.sendMany(function* () {
        for (const { from, name } of peers) {
          message.data = name;
          Object.assign(message.to, from);
          yield message;
          spoil(message.to);
        }
      }());
    });
  });

  check("an answer goes to the sender of its datagram", async (ends) => {
    const { socket, client } = ends;
    for (let tries = 0; tries < TRIES; tries++) {
      const datagram = await ends.pass("question");
      await ends.pass("other", await ends.another());
      await socket.answer("answer", datagram);
      const answer = await ends.next(client);
      if (answer !== undefined) return equal(answer.text(), "answer");
    }
  });
}

interface Peer {
  readonly name: string;
  readonly client: ConnectedSocket;
  readonly from: NetAddr;
}

/** Sends each of three peers its name, and checks that it gets that one. */
async function toEach(
  ends: Ends,
  send: (peers: [Peer, ...Peer[]]) => Promise<void>,
): Promise<void> {
  const peer = async (name: string, client: ConnectedSocket): Promise<Peer> => {
    const { from } = await ends.pass(name, client);
    return { name, client, from };
  };
  const missing = new Map([
    ["a", await peer("a", ends.client)],
    ["b", await peer("b", await ends.another())],
    ["c", await peer("c", await ends.another())],
  ]);
  const [first, ...others] = [...missing.values()] as [Peer, ...Peer[]];
  for (let tries = 0; tries < TRIES && missing.size > 0; tries++) {
    await send([first, ...others]);
    for (const { name, client } of [first, ...others]) {
      const datagram = await ends.next(client);
      if (datagram === undefined) continue;
      equal(datagram.text(), name);
      missing.delete(name);
    }
  }
  equal(missing.size, 0);
}
