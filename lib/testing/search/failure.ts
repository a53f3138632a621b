import { firstPlace } from "../virtual/place.ts";
import { DoesNotEndError, LeftError } from "../run.ts";

/** How a run has failed. */
export interface Failure {
  /** What the program has thrown, or why it was ended. */
  readonly error: unknown;
  /** The same for failures that are taken for the same. */
  readonly kind: string;
}

const MAX_READ = 10_000;
// What differs between two runs that fail in the same way.
const DETAILS: readonly [RegExp, string][] = [
  [/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '""'],
  [/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/gi, "0"],
  [/\b0x[\da-f]+\b/gi, "0"],
  [/\d+(?:[.:_]\d+)*/g, "0"],
];

/**
 * Tells what a failure is. Two are the same if both do not end, or both leave
 * something; or else if their errors have the same class, name, code, place in
 * the program, and first line of the message, without numbers and quoted text.
 */
export function failureOf(error: unknown): Failure {
  if (isA(DoesNotEndError, error)) return { error, kind: "does not end" };
  if (isA(LeftError, error)) return { error, kind: "has left" };
  const of = (read: () => unknown) => {
    try {
      return String(read()).slice(0, MAX_READ);
    } catch {
      return "?";
    }
  };
  const isObject = typeof error === "object" && error !== null;
  const fields = (isObject ? error : {}) as Record<string, unknown>;
  const message = of(() => isObject ? fields["message"] : error);
  const parts = [
    typeof error,
    of(() => (fields["constructor"] as { name?: unknown })?.name),
    of(() => fields["name"]),
    of(() => fields["code"]),
    shapeOf(message),
    firstPlace(
      of(() => fields["stack"]),
      /\/node_modules\/|\/npm\/[\w-]+\.[\w.-]+\/|\/jsr\.io\//,
    ),
  ];
  return { error, kind: parts.join(" ") };
}

/** The first line of a message, without what differs from run to run. */
function shapeOf(message: string): string {
  const line = message.trimStart().split("\n", 1)[0] ?? "";
  return DETAILS.reduce(
    (text, [pattern, stand]) => text.replace(pattern, stand),
    line,
  );
}

/** Whether a value has a class. A proxy may throw when it is asked. */
export function isA<T>(
  Class: new (...args: never[]) => T,
  value: unknown,
): value is T {
  try {
    return value instanceof Class;
  } catch {
    return false;
  }
}
