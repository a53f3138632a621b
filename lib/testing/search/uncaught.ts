type Listener = (...args: unknown[]) => void;

interface Process {
  setUncaughtExceptionCaptureCallback?(callback: Listener | null): void;
  hasUncaughtExceptionCaptureCallback?(): boolean;
  rawListeners(name: string): Listener[];
  off(name: string, listener: Listener): void;
  removeAllListeners(name: string): void;
  on(name: string, listener: Listener): void;
}

const REJECTION = "unhandledRejection";

/**
 * Takes the errors that nobody catches, which otherwise end the process or fail
 * the test: those that are thrown in a timer or an event, and unhandled
 * rejections.
 *
 * @returns Leaves them to whoever had them before.
 */
export function takeUncaught(onError: (error: unknown) => void): () => void {
  if ("Deno" in globalThis) return takeEvents(onError);
  const { process } = globalThis as unknown as { process?: Process };
  return process === undefined ? () => {} : takeFromNode(process, onError);
}

function takeEvents(onError: (error: unknown) => void): () => void {
  const take = (event: Event, error: unknown) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    onError(error);
  };
  const error = (event: Event) => take(event, (event as ErrorEvent).error);
  const rejection = (event: Event) =>
    take(event, (event as PromiseRejectionEvent).reason);
  addEventListener("error", error, true);
  addEventListener("unhandledrejection", rejection, true);
  return () => {
    removeEventListener("error", error, true);
    removeEventListener("unhandledrejection", rejection, true);
  };
}

/** Test runners have listeners of their own, which would fail the test. */
function takeFromNode(
  process: Process,
  onError: (error: unknown) => void,
): () => void {
  const before = process.rawListeners(REJECTION);
  process.removeAllListeners(REJECTION);
  process.on(REJECTION, onError);
  const isFree = process.hasUncaughtExceptionCaptureCallback?.() === false;
  if (isFree) process.setUncaughtExceptionCaptureCallback?.(onError);
  return () => {
    if (isFree) process.setUncaughtExceptionCaptureCallback?.(null);
    process.off(REJECTION, onError);
    for (const listener of before) process.on(REJECTION, listener);
  };
}
