import { formatAddress } from "../../address.ts";
import { ipBytes } from "../../host.ts";
import type { Message } from "../../sink.ts";

/** A batch as columns: what goes to another thread in one piece. */
export interface Columns {
  ids: Float64Array<ArrayBuffer>;
  /** Milliseconds since 1970. */
  times: Float64Array<ArrayBuffer>;
  senders: string[];
  /** 16 bytes each. */
  sources: Uint8Array<ArrayBuffer>;
  truncated: Uint8Array<ArrayBuffer>;
  /** Where its data ends. */
  ends: Uint32Array<ArrayBuffer>;
  data: Uint8Array<ArrayBuffer>;
}

/** How many bytes the messages hold. */
export function sizeOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { datagram }) => sum + datagram.data.length, 0);
}

/** The messages as columns. */
export function toColumns(messages: readonly Message[]): Columns {
  const { length } = messages;
  const columns: Columns = {
    ids: new Float64Array(length),
    times: new Float64Array(length),
    senders: new Array(length),
    sources: new Uint8Array(16 * length),
    truncated: new Uint8Array(length),
    ends: new Uint32Array(length),
    data: new Uint8Array(sizeOf(messages)),
  };
  let end = 0;
  messages.forEach(({ id, time, datagram }, i) => {
    const { data, from, truncated } = datagram;
    columns.ids[i] = id;
    columns.times[i] = time.getTime();
    columns.senders[i] = formatAddress(from);
    if ("hostname" in from) columns.sources.set(ipBytes(from.hostname), 16 * i);
    columns.truncated[i] = Number(truncated);
    columns.data.set(data, end);
    columns.ends[i] = end += data.length;
  });
  return columns;
}
