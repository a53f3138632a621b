import type { Sink } from "../sink.ts";

/**
 * Returns what describes how much of the messages that a store held at the start
 * has been published, until all of them are.
 */
export function replayProgress(
  sinks: readonly Sink[],
): () => string | undefined {
  const counts = () => sinks.find(({ name }) => name === "nats")?.stats ?? {};
  const { waiting: backlog = 0 } = counts();
  return () => {
    const { published = 0, duplicates = 0, refused = 0, lost = 0 } = counts();
    // In order: what has an outcome first was there first.
    const done = published + duplicates + refused + lost;
    return done < backlog
      ? `published ${done} of ${backlog} messages that were waiting`
      : undefined;
  };
}
