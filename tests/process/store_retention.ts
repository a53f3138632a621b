/** What a store deletes by itself, and when. */
import { assert, assertEquals } from "@std/assert";
import { SteadyClock } from "../../lib/sinks/store/steady_clock.js";
import { StoreReader } from "../../lib/sinks/store/reader.ts";
import { until } from "../support/helpers.ts";
import { idsOf, message, messages, testStore } from "./support/stores.ts";

const MINUTE = 60_000;

/** A clock that is read every second, with what the wall clock is ahead by. */
function readings(
  minutes: number,
  ahead: (minute: number) => number,
): number[] {
  const clock = new SteadyClock(0, 0);
  return Array.from({ length: minutes * 60 }, (_, i) => {
    const now = 1000 * (i + 1);
    const { time } = clock.read(now + ahead(now / MINUTE), now);
    return time - now;
  });
}

Deno.test("a clock that goes steadily is followed", () => {
  assertEquals(new Set(readings(60, () => 0)), new Set([0]));
  // Set by small steps, as by NTP.
  assertEquals(readings(60, (at) => 100 * at).at(-1), 6000);
});

Deno.test("a clock that jumps ahead and back is followed at no time in between", () => {
  const hours = 2 * 60 * MINUTE;
  const read = readings(60, (at) => at > 10 && at < 20 ? hours : 0);
  assertEquals(new Set(read), new Set([0]));
});

Deno.test("a clock that jumps ahead for good is followed after a quarter of an hour", () => {
  const read = readings(60, (at) => at > 10 ? 2 * 60 * MINUTE : 0);
  const followed = read.findIndex((ahead) => ahead > 0) / 60;
  assert(followed > 24 && followed < 26, `${followed}`);
});

Deno.test("a clock that jumps back is followed at once, and ahead again without a doubt", () => {
  const read = readings(60, (at) => at > 10 && at < 20 ? -60 * MINUTE : 0);
  assertEquals(read[15 * 60], -60 * MINUTE);
  const followed = read.findLastIndex((ahead) => ahead < 0) / 60;
  assert(followed > 33 && followed < 36, `${followed}`);
});

Deno.test("a clock that jumps with the monotonic one is not followed either", () => {
  const clock = new SteadyClock(0, 0);
  const jump = 120 * MINUTE;
  for (let n = 1; n <= 60; n++) {
    assert(clock.read(jump + 1000 * n, jump + 1000 * n).time < 70_000);
  }
});

testStore(
  "whose messages are all too old at the start keeps them for a while",
  async (_, open) => {
    const hour = 60 * MINUTE;
    const first = await open();
    const time = new Date(Date.now() - 2 * hour);
    first.write([1, 2, 3].map((id) => message(id, "x", { time })));
    await first.close();
    // The clock may be wrong. It goes on from the newest message.
    const second = await open({ keepMs: hour });
    await new Promise((go) => setTimeout(go, 2500));
    assertEquals(second.latest(9).length, 3);
    assertEquals(second.stats["deleted"], 0);
    await second.close();
  },
);

testStore(
  "deletes by age while no message arrives, and counts it",
  async (_, open) => {
    const hour = 60 * MINUTE;
    const store = await open({ keepMs: hour });
    const now = Date.now();
    store.write([
      message(1, "x", { time: new Date(now - hour + 2000) }),
      message(2, "x", { time: new Date(now) }),
    ]);
    await store.flush();
    await until(() => store.stats["deleted"] === 1);
    assertEquals(idsOf(store.latest(9)), [2]);
    assertEquals(store.stats, {
      stored: 2,
      waiting: 0,
      notStored: 0,
      deleted: 1,
    });
    await store.close();
  },
);

testStore(
  "with keepRows deletes what is too much at the start, all of it",
  async (path, open) => {
    const first = await open();
    for (let n = 0; n < 20; n++) {
      first.write(
        messages(1000 * n + 1, 1000 * n + 1000),
      );
    }
    await first.close();
    const second = await open({ keepRows: 10 });
    await until(() => second.stats["deleted"] === 19_990);
    assertEquals(idsOf(second.latest(99)), idsOf(messages(19_991, 20_000)));
    second.write(messages(20_001, 20_005));
    await second.flush();
    await until(() => second.stats["deleted"] === 19_995);
    assertEquals(second.stats["stored"], 5);
    await second.close();
    using reader = new StoreReader(path);
    assertEquals(reader.latest(99).length, 10);
  },
);

testStore(
  "without a limit has no count of what is deleted",
  async (_, open) => {
    const store = await open();
    assertEquals(Object.keys(store.stats), ["stored", "waiting", "notStored"]);
    await store.close();
  },
);
