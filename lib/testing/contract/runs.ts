import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { errors, MessageTooLargeError } from "../../errors.ts";
import type { ReceivedRun } from "../../run.ts";
import type { Abilities, Check, Ends } from "./ends.ts";
import { sameMessages } from "./messages.ts";
import { readAll } from "./waits.ts";

const COUNT = 60;
const SIZE = 4;
// Of single bytes; timers fire long before all are sent.
const LONG = 100_000;

const decoder = new TextDecoder();

/** Datagrams in runs, whether the carrier has them or not. */
export function runs(check: Check, abilities: Abilities): void {
  const { lossless, ordered, largest } = abilities;
  const texts = Array.from(
    { length: COUNT },
    (_, n) => `${n}`.padStart(SIZE),
  );
  const all = lossless ? "all arrive" : "arrive at most once";

  for (const reuse of [false, true]) {
    check(
      `${COUNT} datagrams of sendRun ${all}, reuse ${reuse}`,
      async (ends) => {
        const { client } = ends;
        const sending = client.sendRun(texts.join(""), SIZE);
        const got = await receiveRuns(ends, COUNT, reuse);
        equal(await sending, COUNT);
        sameMessages(got, texts, abilities);
        const { sent, sentBytes } = client.stats;
        deepEqual([sent, sentBytes], [COUNT, COUNT * SIZE]);
        equal(ends.socket.stats.received, got.length);
      },
    );
  }

  if (lossless) {
    check(
      "an empty datagram is a run of its own, in every place",
      async (ends) => {
        const { client } = ends;
        const sent = ["", "aa", "b", "", "", "cc", "dd", ""];
        const sending = (async () => {
          equal(await client.sendRun("", 0), 1);
          equal(await client.sendRun("aab", 2), 2);
          await client.send("");
          equal(await client.sendRun("", 5), 1);
          equal(await client.sendRun("ccdd", 2), 2);
          equal(await client.sendRun(new Uint8Array(), 0), 1);
        })();
        sameMessages(await receiveRuns(ends, sent.length), sent, {
          lossless: false,
          ordered,
        });
        await sending;
        equal(ends.socket.stats.received, sent.length);
      },
    );

    check("what runs did not yield goes to the next receiver", async (ends) => {
      const { socket, client, patienceMs } = ends;
      const sending = client.sendRun(texts.join(""), SIZE);
      const got: string[] = [];
      for await (const run of socket.runs({ timeoutMs: patienceMs })) {
        got.push(...textsOf(run));
        break;
      }
      while (got.length < COUNT) {
        got.push((await socket.receive({ timeoutMs: patienceMs })).text());
        if (got.length < COUNT) got.push(...await receiveRuns(ends, 1));
      }
      await sending;
      sameMessages(got, texts, abilities);
      const { received, waiting } = socket.stats;
      deepEqual([received, waiting], [COUNT, 0]);
    });
  }

  check("runs that time out consume no datagram", async (ends) => {
    const { socket, pass } = ends;
    const runs = socket.runs({ timeoutMs: 10 });
    await rejects(() => runs.next(), errors.TimedOut);
    await runs.return?.();
    equal((await pass("later")).text(), "later");
  });

  check(
    "a wrong segment size is refused before anything is sent",
    async (ends) => {
      const { client, pass } = ends;
      const long = new Uint8Array(2 * largest + 2);
      await rejects(
        () => client.sendRun(long, largest + 1),
        MessageTooLargeError,
      );
      await rejects(() => client.sendRun("text", 0), RangeError);
      await rejects(() => client.sendRun("text", 1.5), RangeError);
      equal(client.stats.sent, 0);
      equal((await pass("next")).text(), "next");
    },
  );

  check("only a run of one datagram is truncated", async (ends) => {
    const { socket, client, patienceMs } = ends;
    const sending = client.sendRun("123456789abcdefghi", 9);
    const timeoutMs = patienceMs;
    for await (const run of socket.runs({ timeoutMs })) {
      deepEqual([run.count, run.truncated], [1, true]);
      ok(["12345678", "abcdefgh"].includes(textsOf(run)[0]!));
      break;
    }
    await sending;
  }, { maxSize: 8 });

  check("timers fire while sendRun sends, and abort it", async (ends) => {
    const { socket, client } = ends;
    const reading = readAll(socket);
    const controller = new AbortController();
    const { signal } = controller;
    client.clock.after(1, () => controller.abort("enough"));
    const data = new Uint8Array(LONG).fill(120);
    const reason = await client.sendRun(data, 1, { signal })
      .catch((reason) => reason);
    ok(reason === "enough" || reason === LONG);
    ok(signal.aborted || reason === LONG);
    const { sent, sendFailed } = client.stats;
    equal(sent + sendFailed, LONG);
    await reading.stop();
  }, { overfills: true });
}

/** Receives that many datagrams in runs, or fewer if some were lost. */
async function receiveRuns(
  { socket, patienceMs }: Ends,
  count: number,
  reuse = false,
): Promise<string[]> {
  const received: string[] = [];
  try {
    for await (const run of socket.runs({ reuse, timeoutMs: patienceMs })) {
      received.push(...textsOf(run));
      if (received.length >= count) break;
    }
  } catch (error) {
    // The rest was lost.
    if (!(error instanceof errors.TimedOut)) throw error;
  }
  return received;
}

/** Returns the datagrams of a run: the views, which the fields tell too. */
function textsOf(run: ReceivedRun): string[] {
  const { data, segmentSize, count } = run;
  const texts: string[] = [];
  for (let i = 0, at = 0; i < count; i++, at += segmentSize) {
    texts.push(decoder.decode(data.subarray(at, at + segmentSize)));
  }
  deepEqual([...run].map((view) => decoder.decode(view)), texts);
  ok(
    count >= 1 && segmentSize <= data.length && (!run.truncated || count === 1),
  );
  return texts;
}
