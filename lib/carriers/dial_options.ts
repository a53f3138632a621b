/** How a carrier is dialed: the second argument of `CarrierSource.dial`. */
export interface DialOptions {
  /** Gives up when it aborts, and closes what was opened. */
  signal?: AbortSignal | undefined;
}
