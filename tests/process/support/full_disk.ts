/** A disk that is nearly full. */

/** A folder on a disk that is nearly full. */
export interface FullDisk extends AsyncDisposable {
  /** The folder, as the program sees it that `under` runs. */
  readonly folder: string;
  /** A command that runs a program with that disk. */
  readonly under: string[];
  /** Why nothing can be written to it, in the words of a store. */
  readonly reason: string;
  /** Makes room on the disk of the running program. */
  makeRoom(pid: number): Promise<void>;
}

const NAMESPACES = [["--user", "--map-root-user", "--mount"], ["--mount"]];

/**
 * Returns a full disk. It is a mount in a namespace, which an ordinary user may
 * have too. If namespaces are forbidden, as they are in containers by default, the
 * size of files is limited instead: writing beyond the limit fails as well.
 *
 * @param before A shell command that runs on the empty disk. Then all of the disk
 * is filled, not only most of it.
 */
export async function fullDisk(before?: string): Promise<FullDisk> {
  const folder = await Deno.makeTempDir();
  const disk = {
    folder,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
  for (const options of NAMESPACES) {
    const unshare = ["unshare", ...options];
    const mount = `mount -t tmpfs -o size=8m none ${folder}`;
    if (!await succeeds([...unshare, "sh", "-c", mount])) continue;
    const fill = before === undefined
      ? `head -c 6M /dev/zero >${folder}/ballast`
      : `${before} && ! head -c 9M /dev/zero >${folder}/ballast 2>/dev/null`;
    return {
      ...disk,
      under: [...unshare, "sh", "-c", `${mount} && ${fill} && exec "$@"`, "sh"],
      reason: "the disk is full",
      // In the other mount namespace.
      makeRoom: (pid) => Deno.remove(`/proc/${pid}/root${folder}/ballast`),
    };
  }
  // Of 512 bytes.
  const blocks = before === undefined ? 4096 : 8;
  const limit = `${
    before ?? ":"
  } && trap "" XFSZ && ulimit -S -f ${blocks} && exec "$@"`;
  return {
    ...disk,
    under: ["sh", "-c", limit, "sh"],
    reason: "the disk has an error",
    makeRoom: async (pid) => {
      const raise = ["prlimit", "--pid", `${pid}`, "--fsize=unlimited:"];
      if (!await succeeds(raise)) throw new Error("prlimit failed");
    },
  };
}

async function succeeds([command = "", ...args]: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(command, {
    args,
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}
