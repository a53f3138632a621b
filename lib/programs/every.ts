/**
 * Calls back again and again, one call at a time, until it is disposed of.
 *
 * @param ms How often; `undefined` for never.
 * @param onError Called with what the callback throws, or rejects with.
 */
export function every(
  ms: number | undefined,
  callback: () => void | Promise<void>,
  onError: (error: unknown) => void,
): Disposable {
  let isRunning = false;
  const call = async () => {
    if (isRunning) return;
    isRunning = true;
    try {
      await callback();
    } catch (error) {
      onError(error);
    }
    isRunning = false;
  };
  const timer = ms === undefined ? undefined : setInterval(call, ms);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
