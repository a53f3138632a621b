/**
 * Returns the variable, if the program is permitted to read it.
 *
 * @throws It is not UTF-8. The message has no part of it.
 */
export function inEnvironment(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  if (state !== "granted") return undefined;
  try {
    return Deno.env.get(variable);
  } catch {
    // Deno's own error shows the value, which may be a secret.
    throw new Error(`Cannot use ${variable}: it is not UTF-8`);
  }
}
