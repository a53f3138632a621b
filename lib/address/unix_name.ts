import type { Invalid } from "./authority.ts";

// sockaddr_un.sun_path holds 108 bytes with its final NUL (unix(7)).
const MAX_PATH_BYTES = 107;

/** Writes the path of a unix socket; one that begins with NUL is an abstract name. */
export function formatName(path: string): string {
  // A file of that name, in the folder where the program runs.
  if (path.startsWith("@")) return `./${path}`;
  return path.startsWith("\0")
    ? `@${path.slice(1).replace(/[%\0]/g, encodeURIComponent)}`
    : path;
}

/** Reads the path of a unix socket, as it follows `unix:`. */
export function parseName(name: string, invalid: Invalid): string {
  if (name.startsWith("@")) {
    if (/%(?!25|00)/.test(name)) {
      throw invalid('write "%" as "%25" in an abstract name, and NUL as "%00"');
    }
    const path = `\0${decodeNames(name.slice(1))}`;
    // Without a final NUL.
    if (bytesOf(path) <= MAX_PATH_BYTES + 1) return path;
  } else {
    const path = name.startsWith("./@") ? name.slice("./".length) : name;
    const size = bytesOf(path);
    const isPath = size > 0 && size <= MAX_PATH_BYTES && !path.includes("\0");
    if (isPath) return path;
  }
  throw invalid(
    `give a path of 1 to ${MAX_PATH_BYTES} bytes without NUL, as in "unix:/run/pli.sock"`,
  );
}

function decodeNames(text: string): string {
  return text.replace(/%(?:25|00)/g, decodeURIComponent);
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
