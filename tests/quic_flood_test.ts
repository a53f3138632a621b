import { assert } from "@std/assert";
import { Arrivals, Share } from "../lib/carriers/quic/arrivals.ts";
import type { Control } from "../lib/carriers/quic/control.ts";
import { noCounts } from "../lib/carriers/quic/counts.ts";
import { Incoming } from "../lib/carriers/quic/incoming.ts";
import { encodeMessage } from "../lib/carriers/quic/messages.ts";
import { PEER, STRANGER } from "./support/helpers.ts";

const SIZE = 100;
const FLOOD = 100_000;
// What is read of a peer at a time, in messages.
const A_READ = 16 * 1024 / SIZE;

/** Messages that arrive on a stream, each when it was waited for. */
async function* messages(
  count: number,
  arrival?: Promise<void>,
): AsyncGenerator<Uint8Array> {
  await arrival;
  for (let n = 0; n < count; n++) yield encodeMessage(new Uint8Array(SIZE));
}

/** A stream of bytes that fills each read with as many as have arrived. */
function byteStream(source: AsyncGenerator<Uint8Array>, isReady: boolean) {
  let rest = new Uint8Array();
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const view = controller.byobRequest!.view as Uint8Array;
      let size = 0;
      while (size < view.length) {
        if (rest.length === 0) {
          const { value, done } = await source.next();
          if (done) break;
          rest = value as Uint8Array<ArrayBuffer>;
        }
        const piece = rest.subarray(0, view.length - size);
        view.set(piece, size);
        size += piece.length;
        rest = rest.subarray(piece.length);
        if (!isReady && rest.length === 0) break;
      }
      if (size === 0) controller.close();
      controller.byobRequest!.respond(size);
    },
  });
}

function incoming(
  arrivals: Arrivals,
  share: Share,
  stream: ReadableStream<Uint8Array>,
): Incoming {
  const conn = {
    incomingUnidirectionalStreams: new ReadableStream({
      start: (controller) => controller.enqueue(stream),
    }),
  } as unknown as Deno.QuicConn;
  const control = { send: () => Promise.resolve() } as unknown as Control;
  const counts = noCounts();
  return new Incoming({
    ...{ conn, control, arrivals, share, counts, largest: 1000 },
  });
}

Deno.test("while a peer floods, another's message is next after 16 KiB of the flood", async () => {
  const arrivals = new Arrivals();
  const flood = incoming(
    arrivals,
    new Share(STRANGER),
    byteStream(messages(FLOOD), true),
  );
  const arrival = Promise.withResolvers<void>();
  const good = incoming(
    arrivals,
    new Share(PEER),
    byteStream(messages(1, arrival.promise), false),
  );
  const runs = [flood.run(() => {}), good.run(() => {})];
  setImmediate(arrival.resolve);
  let flooded = 0;
  while ((await arrivals.receive())[1].port !== PEER.port) flooded++;
  assert(flooded <= 2 * A_READ, `after ${flooded} messages`);
  arrivals.close();
  await Promise.all(runs);
  flood.stop();
  good.stop();
});
