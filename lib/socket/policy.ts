import type { Addr } from "../addr.ts";

/** What a socket decides about what arrives. */
export interface Policy<A extends Addr> {
  /** The longest data that is delivered. */
  readonly maxSize: number;
  /** Returns why a datagram from there is dropped, if it is. @default {never} */
  refuses?(from: A): string | undefined;
  /**
   * Whether `refuses` counts datagrams: then it is asked for each, and otherwise
   * once for all of a run.
   * @default {false}
   */
  readonly counts?: boolean;
  /** Whether an error is only counted, as `unreachable`. @default {never} */
  tolerates?(cause: unknown): boolean;
}
