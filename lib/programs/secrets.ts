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
  const text = file === undefined
    ? inEnvironment(variable)
    : decode(await readBytes(file), file);
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

/** To read a secret that need not be there. */
export function toKnowIfGiven(secret: Secret): Needs {
  const { file, variable } = secret;
  const isGiven = file !== undefined || inEnvironment(variable) !== undefined;
  return isGiven ? toKnow(secret) : {};
}

/** Reads a file's text. */
export async function read(path: string): Promise<string> {
  return new TextDecoder().decode(await readBytes(path));
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    throw failure(`read ${quote(path)}`, error);
  }
}

/** Other bytes would be replaced, so that different secrets were the same. */
function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`Cannot use ${quote(path)}: it is not UTF-8`);
  }
}
