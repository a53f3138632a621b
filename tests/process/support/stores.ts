/** Messages, and tests of a store that has a folder of its own. */
import { openStore, type StoreOptions } from "../../../lib/sinks/store.ts";
import type { Message } from "../../../lib/sink.ts";
import { Datagram } from "../../../mod.ts";
import { bytesOf, net } from "../../support/helpers.ts";

const FROM = net("127.0.0.1", 40_000);

/** Returns the message with that number. */
export function message(
  id: number,
  data: string | Uint8Array = `message ${id}`,
  { from = FROM as Deno.Addr, time = new Date(1e12 + id), truncated = false } =
    {},
): Message {
  return { id, time, datagram: new Datagram(bytesOf(data), from, truncated) };
}

/** Returns the messages with the numbers from `first` to `last`. */
export function messages(first: number, last: number): Message[] {
  return Array.from(
    { length: last - first + 1 },
    (_, i) => message(first + i),
  );
}

/** Returns the numbers of messages. */
export function idsOf(messages: readonly Message[]): number[] {
  return messages.map(({ id }) => id);
}

/** Resolves as soon as the condition holds. */
export async function until(
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  while (!await holds()) await new Promise((go) => setTimeout(go, 20));
}

/** Declares a test with a path in a folder of its own, and stores there. */
export function testStore(
  promise: string,
  run: (
    path: string,
    open: (options?: StoreOptions) => ReturnType<typeof openStore>,
    trouble: string[],
  ) => Promise<void>,
): void {
  Deno.test(`a store ${promise}`, async () => {
    const folder = await Deno.makeTempDir();
    const trouble: string[] = [];
    const path = `${folder}/messages.db`;
    const onTrouble = (line: string) => void trouble.push(line);
    try {
      await run(
        path,
        (options) => openStore(path, { onTrouble, ...options }),
        trouble,
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
