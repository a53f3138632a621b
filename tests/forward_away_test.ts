/** The sink that forwards, while its destination is away: in virtual time. */
import { assert, assertEquals } from "@std/assert";
import { bind, type Carrier, type CarrierSource, errors } from "../mod.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";
import { net } from "./support/helpers.ts";
import { assertCounts, messagesOf, openForward } from "./support/forwards.ts";

const TO = "tcp://10.0.0.2:601";
const REFUSED = new errors.ConnectionRefused("refused");

/** A destination whose connections the test makes and breaks. */
class Peer implements CarrierSource {
  readonly schemes = ["tcp"] as const;
  readonly now: () => number;
  readonly texts: string[] = [];
  /** When it was dialed. */
  readonly dialedAt: number[] = [];
  isAway = false;
  /** Whether it takes nothing. */
  isDeaf = false;
  #fail = (_: Error) => {};

  constructor(now: () => number) {
    this.now = now;
  }

  listen(): never {
    throw new Error("it only dials");
  }

  dial(): Promise<Carrier> {
    this.dialedAt.push(this.now());
    if (this.isAway) return Promise.reject(REFUSED);
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => {});
    this.#fail = reject;
    return Promise.resolve({
      addr: { ...net("10.0.0.1", 4000), transport: "tcp" as const },
      remote: { ...net("10.0.0.2", 601), transport: "tcp" as const },
      receive: () => promise,
      send: (data) => {
        if (this.isDeaf) return promise;
        this.texts.push(new TextDecoder().decode(data));
        return Promise.resolve(data.length);
      },
      close: () => reject(new errors.Interrupted("closed")),
    });
  }

  /** Ends its connection. */
  hangUp(): void {
    this.#fail(new errors.ConnectionReset("the peer has hung up"));
  }
}

/** Runs a test with a sink that forwards to such a destination. */
function testAway(
  name: string,
  test: (
    peer: Peer,
    opened: Awaited<ReturnType<typeof openForward>>,
    pass: (ms: number) => Promise<void>,
  ) => Promise<void>,
  { isAway = true, maxQueued = 3 } = {},
): void {
  Deno.test(name, async () => {
    const network = simulateNetwork();
    await network.run(async () => {
      const { clock } = network;
      const pass = (ms: number) =>
        new Promise<void>((go) => void clock.after(ms, go));
      await using socket = bind("udp://10.0.0.1:514", { carrier: network });
      const peer = new Peer(() => clock.now());
      peer.isAway = isAway;
      const opened = await openForward(TO, socket, {
        carrier: peer,
        maxQueued,
      });
      try {
        await test(peer, opened, pass);
      } finally {
        await opened.sink.close(AbortSignal.abort());
      }
    });
  });
}

const AWAY = `forward to ${TO}: refused; messages wait`;

testAway(
  "messages wait for a destination that is away, and it is said once",
  async (peer, { sink, lines }, pass) => {
    sink.write(messagesOf(["1", "2"]));
    await pass(60_000);
    assertCounts(sink, { waiting: 2 });
    assertEquals(lines, [AWAY]);
    peer.isAway = false;
    await pass(10_000);
    assertEquals(peer.texts, ["1", "2"]);
    assertCounts(sink, { forwarded: 2 });
    assertEquals(lines.slice(1), [
      `forward to ${TO} is back; 0 messages lost meanwhile`,
    ]);
  },
);

testAway(
  "attempts are farther and farther apart, up to 7.5 seconds, and never in step",
  async (peer, _, pass) => {
    await pass(60_000);
    const gaps = peer.dialedAt.slice(1).map((at, i) => at - peer.dialedAt[i]!);
    gaps.forEach((gap, i) => {
      const ms = Math.min(100 * 2 ** i, 5000);
      assert(gap >= ms && gap <= 1.5 * ms + 1, `${i}: ${gap}`);
    });
    assert(gaps.length >= 12, `${gaps.length}`);
    assert(new Set(gaps.map(Math.round)).size > 6);
  },
);

testAway(
  "what does not fit the queue is dropped, and said when it is back",
  async (peer, { sink, lines }, pass) => {
    sink.write(messagesOf(["1", "2", "3", "4", "5"]));
    await pass(1000);
    sink.write(messagesOf(["6"]));
    assertCounts(sink, { waiting: 3, "dropped.queue": 3 });
    peer.isAway = false;
    await pass(10_000);
    assertCounts(sink, { forwarded: 3, "dropped.queue": 3 });
    assertEquals(peer.texts, ["1", "2", "3"]);
    assertEquals(lines, [
      `forward to ${TO}: no more messages can wait, they are dropped`,
      AWAY,
      `forward to ${TO} is back; 3 messages lost meanwhile`,
      `forward to ${TO} has taken all that waited`,
    ]);
  },
);

testAway(
  "the end tries a destination that is away once more, and counts the rest",
  async (peer, { sink, lines }, pass) => {
    await pass(60_000);
    sink.write(messagesOf(["1", "2"]));
    const tries = peer.dialedAt.length;
    await sink.flush();
    assertEquals(peer.dialedAt.length, tries + 1);
    await sink.close(AbortSignal.timeout(1));
    assertCounts(sink, { lost: 2 });
    assertEquals(lines.at(-1), `forward to ${TO} did not get 2 messages: lost`);
  },
);

testAway(
  "the end finds a destination that is back, without the rest of the pause",
  async (peer, { sink }, pass) => {
    await pass(60_000);
    sink.write(messagesOf(["1", "2"]));
    peer.isAway = false;
    await sink.flush();
    assertCounts(sink, { forwarded: 2 });
  },
);

testAway(
  "a message whose connection breaks while it is sent goes over the next one",
  async (peer, { sink, lines }, pass) => {
    sink.write(messagesOf(["1"]));
    await sink.flush();
    peer.isDeaf = true;
    sink.write(messagesOf(["2", "3"]));
    await pass(10);
    assertCounts(sink, { forwarded: 1, waiting: 2 });
    peer.isDeaf = false;
    peer.hangUp();
    await sink.flush();
    assertEquals(peer.texts, ["1", "2", "3"]);
    assertCounts(sink, { forwarded: 3 });
    assertEquals(lines.length, 2);
    assert(
      lines[0]!.includes("what it had not read may be lost; messages wait"),
    );
    assertEquals(
      lines[1],
      `forward to ${TO} is back; 0 messages lost meanwhile`,
    );
  },
  { isAway: false },
);

testAway(
  "an idle connection that ends is opened again when it is needed, without a word",
  async (peer, { sink, lines }, pass) => {
    sink.write(messagesOf(["1"]));
    await pass(20_000);
    peer.hangUp();
    await pass(60_000);
    assertEquals(peer.dialedAt.length, 1);
    sink.write(messagesOf(["2"]));
    await sink.flush();
    assertEquals(peer.texts, ["1", "2"]);
    assertEquals([peer.dialedAt.length, lines], [2, []]);
  },
  { isAway: false },
);

testAway(
  "a destination that hangs up after each message is not dialed without a pause",
  async (peer, { sink, lines }, pass) => {
    for (let n = 0; n < 60; n++) {
      sink.write(messagesOf([`${n}`]));
      await pass(1000);
      peer.hangUp();
    }
    const { forwarded, waiting } = sink.stats;
    assertEquals(forwarded + waiting + sink.stats["dropped.queue"], 60);
    assert(peer.dialedAt.length < 40, `${peer.dialedAt.length}`);
    assert(lines.length < 90, `${lines.length}`);
  },
  { isAway: false },
);

testAway(
  "a deaf destination holds the end up only until the limit",
  async (peer, { sink }) => {
    peer.isDeaf = true;
    sink.write(messagesOf(["1", "2"]));
    const limit = new AbortController();
    const closed = sink.close(limit.signal);
    limit.abort();
    await closed;
    assertCounts(sink, { lost: 2 });
  },
  { isAway: false },
);

testAway(
  "close without a limit gives a deaf destination five seconds",
  async (peer, { sink }) => {
    peer.isDeaf = true;
    sink.write(messagesOf(["1"]));
    const startedAt = peer.now();
    await sink.close();
    const ms = peer.now() - startedAt;
    assert(ms >= 5000 && ms < 6000, `${ms}`);
    assertCounts(sink, { lost: 1 });
  },
  { isAway: false },
);
