import { deepEqual, equal, rejects } from "node:assert/strict";
import { MessageTooLargeError } from "../../errors.ts";
import type { Abilities, Check } from "./ends.ts";
import { carriable, sameBytes } from "./messages.ts";

// What errors call a byte.
const NAMES: Record<number, string> = { 0x00: "NUL", 0x0a: "newline" };

/** What is too long, and what a datagram cannot hold. */
export function limits(check: Check, abilities: Abilities): void {
  const { reserved, largest } = abilities;

  check(`${largest} bytes pass, one more is rejected`, async (ends) => {
    const { client, pass } = ends;
    const pattern = new Uint8Array(largest).map((_, i) => i * 7);
    const message = carriable(pattern, abilities);
    sameBytes((await pass(message)).data, message);
    const longer = new Uint8Array(largest + 1).fill(1);
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

  if (reserved !== undefined) {
    const name = NAMES[reserved] ?? `byte ${reserved}`;
    check(`a ${name} is rejected, not split`, async ({ client, pass }) => {
      const two = new TextEncoder().encode("two parts")
        .map((byte) => byte === 0x20 ? reserved : byte);
      await rejects(() => client.send(two), {
        name: "TypeError",
        message: new RegExp(name),
      });
      equal(client.stats.sendFailed, 1);
      equal((await pass("next")).text(), "next");
    });
  }
}
