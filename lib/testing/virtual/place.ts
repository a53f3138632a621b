// The frames of the harness say nothing about the program. Bun names them by
// their paths. A bundle may have no address of its own.
const own = URL.parse("..", import.meta.url);
const OWN = own === null ? [] : [own.href, decodeURI(own.pathname)];
const FRAME =
  /((?:file|https?|npm|data):[^()\s]*?|\/[^()\s]*?):(\d+):(\d+)\)?$/;

/** Where a program made a call; the text is made only if somebody asks. */
export class Place {
  readonly stack?: string;

  /** @param caller The function whose caller is meant. */
  constructor(caller: (...args: never[]) => unknown) {
    // Not all runtimes have it.
    (Error as { captureStackTrace?: typeof Error.captureStackTrace })
      .captureStackTrace?.(this, caller);
  }

  /** Returns the file, the line and the column, or nothing if that is unknown. */
  toString(): string {
    return firstPlace(this.stack ?? "");
  }
}

/**
 * Returns the first place of a stack that is not the harness's, or nothing.
 *
 * @param foreign Matches paths that are taken only if there is no other.
 */
export function firstPlace(stack: string, foreign?: RegExp): string {
  let first = "";
  for (const line of stack.split("\n").slice(1)) {
    const [, path, row, column] = FRAME.exec(line) ?? [];
    if (path === undefined || isOwn(path)) continue;
    const place = `${path.split("/").at(-1)}:${row}:${column}`;
    if (!foreign?.test(path)) return place;
    first ||= place;
  }
  return first;
}

function isOwn(path: string): boolean {
  return OWN.some((folder) => path.startsWith(folder));
}
