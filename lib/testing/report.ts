import { escapeControls } from "../escape.ts";

/**
 * Makes what reports errors: to the callback, which may throw, or to the console.
 * There a run of the same is printed once, each on one line whatever a peer made
 * it say.
 */
export function reporter(
  onError?: (error: unknown) => void,
): (error: unknown) => void {
  let last: string | undefined;
  const print = (error: unknown) => {
    const line = escapeControls(String(error));
    if (line !== last) console.error(line);
    last = line;
  };
  if (onError === undefined) return print;
  return (error) => {
    try {
      onError(error);
    } catch (thrown) {
      print(thrown);
    }
  };
}
