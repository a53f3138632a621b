const CAT = { name: "run", command: "cat" } as const;

/**
 * Reads a file of the system by `cat`, which may read what Deno lets a program
 * read only with all permissions. Never makes Deno ask the user.
 *
 * @param signal Ends it.
 * @returns `undefined` without `--allow-run=cat`, and if it fails or is ended.
 */
export async function readByCat(
  path: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (Deno.permissions.querySync(CAT).state !== "granted") return undefined;
  try {
    // Deno starts no program with LD_PRELOAD and the like, so it gets none.
    const { success, stdout } = await new Deno.Command("cat", {
      args: [path],
      clearEnv: true,
      stdin: "null",
      stderr: "null",
      ...signal && { signal },
    }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    // Such as: too many processes or open files.
    return undefined;
  }
}
