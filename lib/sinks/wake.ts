/** Wakes waiting code, which then checks again what it waits for. */
export class Wake {
  #next = Promise.withResolvers<void>();

  /** Ends every `wait` that has begun. */
  wake(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  /** Resolves at the next `wake`, or after `ms` milliseconds. */
  async wait(ms: number = Infinity): Promise<void> {
    if (ms === Infinity) return await this.#next.promise;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([this.#next.promise, promise]);
    clearTimeout(timer);
  }
}
