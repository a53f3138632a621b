import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";
import { jetstreamManager, StorageType } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

/**
 * Creates a stream for the subject, in files and with the broker's default
 * limits, unless a stream covers the subject already.
 *
 * @returns The name of the stream, if it was created.
 * @throws The broker's error, if it has no streams or rejects a further one.
 */
export async function ensureStream(
  connection: NatsConnection,
  subject: string,
): Promise<string | undefined> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  try {
    await manager.streams.find(subject);
    return undefined;
  } catch (error) {
    // A user who may publish need not be permitted to look for streams.
    if (isForbidden(error)) return undefined;
    if (!isMissing(error)) throw error;
    const name = streamName(subject);
    await manager.streams.add({
      name,
      subjects: [subject],
      storage: StorageType.File,
    });
    return name;
  }
}

/** Returns a name for the stream: `PLI_MESSAGES` for `pli.messages`. */
function streamName(subject: string): string {
  return subject.toUpperCase().replace(/[^A-Z0-9_-]/g, "_");
}

function isMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError &&
    error.code === JetStreamApiCodes.StreamNotFound;
}

function isForbidden(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error &&
    error.cause.name === "PermissionViolationError";
}
