import { type Addr, copyAddr, isConnected } from "../../addr.ts";
import type { Datagram } from "../../datagram.ts";
import { errors } from "../../errors.ts";
import { bind, connect } from "../../open.ts";
import type { ConnectedSocket } from "../../socket/connected_socket.ts";
import { type Ends, type Receiver, type Setup, TRIES } from "./ends.ts";
import { checkSums } from "./sums.ts";

// How long a datagram may take before one that may have been lost is sent again.
const AGAIN_MS = 250;

/** Opens a socket and a client, runs a check, and checks the sums. */
export async function withEnds(
  setup: Setup,
  run: (ends: Ends) => Promise<void>,
): Promise<void> {
  const { carrier, address, lossless, needs } = setup;
  const { maxSize, overfills = false } = needs;
  const patienceMs = lossless ? Infinity : AGAIN_MS;
  await using socket = bind(address(), {
    carrier,
    ...(maxSize !== undefined && { maxSize }),
  });
  await socket.opened;
  const bound = copyAddr(socket.addr);
  await using opened = new AsyncDisposableStack();
  const clients: ConnectedSocket[] = [];
  const another: Ends["another"] = async (to = bound) => {
    const client = opened.use(await connect(to, { carrier }));
    clients.push(client);
    return client;
  };
  const client = await another();
  const next: Ends["next"] = (receiver) => received(receiver, patienceMs);
  const texts: Ends["texts"] = async (receiver, count) => {
    const texts: string[] = [];
    while (texts.length < count) {
      const datagram = await next(receiver);
      if (datagram === undefined) break;
      texts.push(datagram.text());
    }
    return texts;
  };
  const pass: Ends["pass"] = async (message, from = client) => {
    for (let tries = 1; tries < TRIES; tries++) {
      await from.send(message);
      const datagram = await next(socket);
      if (datagram !== undefined) return datagram;
    }
    await from.send(message);
    return await socket.receive();
  };
  await run({
    ...{ ...setup, socket, client, another, pass, next, texts, patienceMs },
    get bound() {
      return copyAddr(bound);
    },
  });
  const isExact = lossless && (isConnected(bound) || !overfills);
  await checkSums({ socket, clients, isExact });
}

async function received<A extends Addr>(
  receiver: Receiver<A>,
  timeoutMs: number,
): Promise<Datagram<A> | undefined> {
  try {
    return await receiver.receive({ timeoutMs });
  } catch (error) {
    if (error instanceof errors.TimedOut) return undefined;
    throw error;
  }
}
