import type { NetAddr } from "../addr.ts";
import type { Carrier } from "../carrier.ts";
import { codeOf, systemFailure } from "./failures.ts";
import { callSafely } from "./soon.ts";
import type { Sent } from "./types.ts";

const MAX_IPV4 = 65_507;
const MAX_IPV6 = 65_527;

/** The datagrams of one socket that are being sent. */
export class Outgoing {
  /** How many there are. */
  count = 0;
  /** How many bytes they have. */
  bytes = 0;

  /**
   * Sends a datagram.
   *
   * @param host The host as the program named it, for errors.
   * @param sent Gets the outcome. Without it an error is nobody's, as in Node.
   */
  send(
    carrier: Carrier,
    data: Uint8Array,
    to: NetAddr,
    host: string,
    sent: Sent | undefined,
  ): void {
    const { length } = data;
    this.count++;
    this.bytes += length;
    const settle = () => {
      this.count--;
      this.bytes -= length;
    };
    const failed = (cause: unknown) => {
      settle();
      if (sent === undefined) return;
      const details = { address: host, port: to.port, cause };
      const error = systemFailure("send", codeOf(cause), details);
      callSafely(() => sent(error, 0));
    };
    const max = carrier.maxSize?.(to) ??
      (to.hostname.includes(":") ? MAX_IPV6 : MAX_IPV4);
    const sending = length > max
      ? Promise.reject(Object.assign(new RangeError(), { code: "EMSGSIZE" }))
      : attempt(() => carrier.send(data, to));
    sending.then(() => {
      settle();
      if (sent !== undefined) callSafely(() => sent(null, length));
    }, failed);
  }
}

function attempt<T>(call: () => Promise<T>): Promise<T> {
  try {
    return call();
  } catch (error) {
    return Promise.reject(error);
  }
}
