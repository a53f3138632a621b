import { clearTimeout, performance, setTimeout } from "../../platform.ts";

// Closing while data arrives resets the connection and loses data on its way. So
// at the end the peer is read from until it is silent for this long: longer if
// it is replying and replies are missing.
const SILENT_MS = 100;
const SILENT_WHILE_REPLYING_MS = 1000;

/** A connection whose sending side is closed. */
interface Ending {
  readonly ended: boolean;
  readonly counts: { sent: number; received: number };
  drop(): void;
  read(): Promise<void>;
}

/**
 * Reads and drops what a peer still sends, until it is silent or has closed its
 * end.
 *
 * @param isClient Whether the peer sends only replies: then reading ends as soon
 * as it has replied to everything.
 * @param until The latest end, a time of `performance.now()`.
 * @throws The error of the connection.
 */
export async function readReplies(
  connection: Ending,
  isClient: boolean,
  until: number,
): Promise<void> {
  while (!connection.ended && performance.now() < until) {
    connection.drop();
    const { sent, received } = connection.counts;
    if (isClient && received >= sent) return;
    const isReplying = isClient && received > 0;
    const ms = isReplying ? SILENT_WHILE_REPLYING_MS : SILENT_MS;
    if (!await readsWithin(connection, ms)) return;
  }
}

async function readsWithin(connection: Ending, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) =>
    timer = setTimeout(resolve, ms, false)
  );
  try {
    return await Promise.race([connection.read().then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
