import { failure, quote } from "../errors.ts";
import type { Needs } from "./permissions.ts";

/** Where a secret comes from. On a command line others would see it. */
export interface Secret {
  /** A file's path; else the variable is looked at. */
  file: string | undefined;
  /** An environment variable. */
  variable: string;
}

/** The secret, or `undefined` where there is none. Line ends after it are not its. */
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

/** The variable, as far as the program may look at it. */
export function inEnvironment(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}

/** To read it. */
export function toKnow({ file, variable }: Secret): Needs {
  return file === undefined ? { env: [variable] } : { read: [file] };
}

/** A file's text. */
export async function read(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    throw failure(`read ${quote(path)}`, error);
  }
}
