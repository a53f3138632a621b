import { assert, assertEquals, assertThrows } from "@std/assert";
import { moment } from "../lib/programs/moment.ts";
import { UsageError } from "../lib/programs/options.ts";

for (
  const [text, iso] of [
    ["2026-01-10", "2026-01-10T00:00:00.000Z"],
    ["2026-01-10T00:00", "2026-01-10T00:00:00.000Z"],
    ["2026-01-10 00:00", "2026-01-10T00:00:00.000Z"],
    ["2026-01-10T00:00Z", "2026-01-10T00:00:00.000Z"],
    ["2026-01-10t09:30:15z", "2026-01-10T09:30:15.000Z"],
    ["2026-01-10T09:30:15.123456", "2026-01-10T09:30:15.123Z"],
    ["2026-01-10T00:30+02:00", "2026-01-09T22:30:00.000Z"],
    ["2026-01-10T00:30-0530", "2026-01-10T06:00:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ] as const
) {
  Deno.test(`--since ${text} is ${iso}, wherever the program runs`, () => {
    assertEquals(moment("since", text)?.toISOString(), iso);
  });
}

Deno.test("--since 1h is an hour ago", () => {
  const ago = Date.now() - moment("since", "1h").getTime();
  assert(ago >= 3_600_000 && ago < 3_700_000, `${ago}`);
});

for (
  const text of [
    ...["", "soon", "2026-", "2026", "2026-02-30", "2026-02-29", "2026-13-01"],
    ...["2026-1-10", "2026-01-10 junk", "2026-01-10T", "2026-01-10T24:00"],
    ...["2026-01-10T09", "2026-01-10T09:60", "2026-01-10Z", "-1h", "1x"],
    ...[
      "2026-01-10T09:30+99:00",
      "2026-01-10T09:30:61",
      " 2026-01-10",
      "1e99d",
    ],
  ]
) {
  Deno.test(`--since ${JSON.stringify(text)} is rejected`, () => {
    assertThrows(() => moment("since", text), UsageError, "must be a time ago");
  });
}
