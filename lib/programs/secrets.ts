import { failure, quote } from "../errors.ts";
import { inEnvironment } from "./environment.ts";
import type { Needs } from "./needs.ts";

/** Where a secret comes from. On a command line others would see it. */
export interface Secret {
  /** The path of a file; without it, the variable is read. */
  readonly file: string | undefined;
  /** An environment variable. */
  readonly variable: string;
}

/**
 * Reads a secret; line breaks at its end do not belong to it.
 *
 * @returns The secret, or `undefined` if there is none.
 */
export async function readSecret(
  { file, variable }: Secret,
): Promise<string | undefined> {
  const text = file === undefined ? inEnvironment(variable) : await read(file);
  const secret = text?.replace(/[\r\n]+$/, "");
  if (secret !== "") return secret;
  throw new Error(
    `Cannot use ${file === undefined ? variable : quote(file)}: it is empty`,
  );
}

/** To read a secret. */
export function toKnow({ file, variable }: Secret): Needs {
  return file === undefined ? { env: [variable] } : { read: [file] };
}

/** Reads a file's text. */
export async function read(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw failure(`read ${quote(path)}`, error);
  }
}
