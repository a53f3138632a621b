import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";
import { jetstreamManager, StorageType } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

/**
 * Creates a stream for the subject, in files and with the broker's default
 * limits, where none covers it.
 *
 * @returns The name of the stream, if it was created.
 * @throws What the broker says where it has no streams, or wants no more.
 */
export async function ensureStream(
  connection: NatsConnection,
  subject: string,
): Promise<string | undefined> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  try {
    await manager.streams.find(subject);
  } catch (error) {
    // Who may publish need not be allowed to look.
    if (isForbidden(error)) return;
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

/** `pli.messages` becomes `PLI_MESSAGES`. */
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
