import { deepEqual, equal, rejects } from "node:assert/strict";
import { MessageTooLargeError } from "../../errors.ts";
import type { Abilities, Check } from "./ends.ts";
import { carriable, sameBytes } from "./messages.ts";

/** What is too long, and what a datagram cannot hold. */
export function limits(check: Check, abilities: Abilities): void {
  const { binary, largest } = abilities;

  check(`${largest} bytes pass, one more is rejected`, async (ends) => {
    const { client, pass } = ends;
    const pattern = new Uint8Array(largest).map((_, i) => i * 7);
    const message = carriable(pattern, abilities);
    sameBytes((await pass(message)).data, message);
    const longer = new Uint8Array(largest + 1);
    await rejects(() => client.send(longer), MessageTooLargeError);
    equal((await pass("next")).text(), "next");
  }, { maxSize: largest });

  check(
    "maxSize bytes arrive whole, more are marked truncated",
    async (ends) => {
      const whole = await ends.pass("12345678");
      deepEqual([whole.text(), whole.truncated], ["12345678", false]);
      const cut = await ends.pass("123456789");
      deepEqual([cut.text(), cut.truncated], ["12345678", true]);
    },
    { maxSize: 8 },
  );

  if (!binary) {
    check("a newline is rejected, not split", async ({ client, pass }) => {
      await rejects(() => client.send("two\nlines"), {
        name: "TypeError",
        message: /newline/,
      });
      equal(client.stats.sendFailed, 1);
      equal((await pass("next")).text(), "next");
    });
  }
}
