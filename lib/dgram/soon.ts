/**
 * Calls a callback of the program. What it throws is not caught by whoever calls
 * it: it is an uncaught exception, as in Node.
 */
export function callSafely(call: () => void): void {
  try {
    call();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
