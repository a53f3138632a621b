import {
  JetStreamApiCodes,
  JetStreamApiError,
  jetstreamManager,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";

// Of a stream that this user may not look at: the broker's default.
const WINDOW_MS = 120_000;

/** The stream of a subject. */
export interface StreamOfSubject {
  /** Its name, if it was created. */
  readonly created: string | undefined;
  /** For how long it knows the ID of a message, in milliseconds. */
  readonly windowMs: number;
}

/**
 * Creates a stream for the subject, in files and with the broker's default
 * limits, unless a stream covers the subject already.
 *
 * @throws {Error} The broker has no JetStream. The message says how to start it.
 * @throws The broker's error, if it rejects a further stream.
 */
export async function ensureStream(
  connection: NatsConnection,
  subject: string,
): Promise<StreamOfSubject> {
  const manager = await jetstreamManager(connection, { checkAPI: false });
  try {
    const name = await manager.streams.find(subject);
    const { config } = await manager.streams.info(name);
    return { created: undefined, windowMs: windowOf(config) };
  } catch (error) {
    // A user who may publish need not be permitted to look for streams.
    if (isForbidden(error)) return { created: undefined, windowMs: WINDOW_MS };
    if (isUnanswered(error)) {
      throw new Error(
        "it has no JetStream, or none for this user;" +
          " nats-server --jetstream starts one",
      );
    }
    if (!isMissing(error)) throw error;
    const name = streamName(subject);
    const { config } = await manager.streams.add({
      name,
      subjects: [subject],
      storage: StorageType.File,
    });
    return { created: name, windowMs: windowOf(config) };
  }
}

/**
 * Whether nobody takes a request. What is published has a taker as long as there
 * is a stream for its subject; requests for streams have one if there is JetStream.
 */
export function isUnanswered(error: unknown): boolean {
  return error instanceof Error && error.name === "JetStreamNotEnabled";
}

function windowOf(config: StreamConfig): number {
  return config.duplicate_window / 1e6;
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
