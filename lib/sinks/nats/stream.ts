import {
  JetStreamApiCodes,
  JetStreamApiError,
  jetstreamManager,
  StorageType,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

/**
 * Creates a stream for the subject, in files and with the broker's default
 * limits, unless a stream covers the subject already.
 *
 * @returns The name of the stream, if it was created.
 * @throws {Error} The broker has no JetStream. The message says how to start it.
 * @throws The broker's error, if it rejects a further stream.
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
    if (isUnanswered(error)) {
      throw new Error(
        "it has no JetStream, or none for this user;" +
          " nats-server --jetstream starts one",
      );
    }
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

/**
 * Whether nobody takes a request. What is published has a taker as long as there
 * is a stream for its subject; requests for streams have one if there is JetStream.
 */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.name === "JetStreamNotEnabled";
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
