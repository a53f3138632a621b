import { assertEquals, assertStrictEquals } from "@std/assert";
import { serve, SocketClosedError } from "../mod.ts";
import { batchBound } from "./support/fake_batches.ts";
import { FakeCarrier, fakeClient, sourceOf } from "./support/fakes.ts";
import { PEER, turn } from "./support/helpers.ts";

/** What programs can throw: also errors that look like the library's own. */
const REASONS: [name: string, reason: unknown][] = [
  ["an error", new Error("mine")],
  ["a frozen error", Object.freeze(new TypeError("mine"))],
  ["text", "mine"],
  ["null", null],
  ["a SocketClosedError", new SocketClosedError("mine")],
  ["a TimedOut", new Deno.errors.TimedOut("mine")],
];

for (const [name, reason] of REASONS) {
  const before = reason instanceof Error ? { ...reason } : reason;

  const same = async (promise: Promise<unknown>) => {
    const thrown = await promise.then(
      () => {
        throw new Error("it did not fail");
      },
      (thrown) => thrown,
    );
    assertStrictEquals(thrown, reason);
    if (reason instanceof Error) assertEquals({ ...reason }, before);
  };

  Deno.test(`a reason to abort is passed on unchanged: ${name}`, async () => {
    const aborted = (
      wait: (signal: AbortSignal) => Promise<unknown>,
    ) => [
      same(wait(AbortSignal.abort(reason))),
      (async () => {
        const controller = new AbortController();
        const waiting = same(wait(controller.signal));
        await turn();
        controller.abort(reason);
        await waiting;
      })(),
    ];
    const { carrier, socket } = fakeClient();
    carrier.onSend = () => new Promise(() => {});
    await Promise.all([
      aborted((signal) => socket.receive({ signal })),
      aborted((signal) => socket.batches({ signal }).next()),
      aborted((signal) => socket.request("x", { signal })),
      aborted((signal) => socket.send("x", { signal })),
      aborted((signal) => socket.sendMany(["x"], { signal })),
    ].flat());
    socket.close();
  });

  Deno.test(`what user code throws is passed on unchanged: ${name}`, async () => {
    const fail = () => {
      throw reason;
    };
    const { carrier, socket } = fakeClient();
    const request = same(socket.request("x", { match: fail }));
    carrier.deliver("y");
    await request;
    const messages = { [Symbol.iterator]: fail };
    await same(socket.sendMany(messages));
    await same(batchBound().socket.sendMany(messages));
    await same(
      serve(PEER, () => {}, {
        carrier: sourceOf(new FakeCarrier({})),
        onListen: fail,
      }).finished,
    );
    const reported = Promise.withResolvers<unknown>();
    const serving = new FakeCarrier({});
    const server = serve(PEER, fail, {
      carrier: sourceOf(serving),
      onError: reported.reject,
    });
    serving.deliver("x");
    await same(reported.promise);
    await server.shutdown();
    socket.close();
  });
}
