/** Messages, and tests of a store that has a folder of its own. */
import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import {
  openStore,
  type Store,
  type StoreOptions,
} from "../../../lib/sinks/store.ts";
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

/** Returns the numbers from one up to another. */
export function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** Returns the numbers of the messages in a file, which is intact. */
export function idsIn(path: string): number[] {
  using db = new DatabaseSync(path, { readOnly: true });
  const [check] = db.prepare("PRAGMA integrity_check").all();
  assertEquals({ ...check }, { integrity_check: "ok" }, path);
  return db.prepare("SELECT id FROM messages ORDER BY id").all()
    .map(({ id }) => Number(id));
}

/** Stores the messages with the numbers from one up to another. */
export async function write(
  store: Store,
  from: number,
  to: number,
): Promise<void> {
  store.write(messages(from, to));
  await store.flush();
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
