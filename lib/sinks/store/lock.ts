import { resolve as absolute } from "node:path";
import { failure, quote } from "../../errors.ts";

// To open a file of this process again would end the locks that SQLite has on it.
const open = new Set<string>();

/**
 * Locks a file for one server, so that no two number their messages alike. The
 * lock ends with the process, or when it is disposed.
 *
 * @throws {Error} Another server has the file, or it cannot be opened.
 */
export function lockFile(path: string): Disposable {
  const name = absolute(path);
  const taken = `Cannot store messages in ${
    quote(path)
  }: another server is using it`;
  if (open.has(name)) throw new Error(taken);
  const file = openFile(path);
  if (!file.tryLockSync(true)) {
    file.close();
    throw new Error(taken);
  }
  open.add(name);
  return {
    [Symbol.dispose]() {
      file.close();
      open.delete(name);
    },
  };
}

function openFile(path: string): Deno.FsFile {
  try {
    return Deno.openSync(path, { read: true, write: true, create: true });
  } catch (error) {
    throw failure(`store messages in ${quote(path)}`, error);
  }
}
