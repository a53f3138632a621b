import type { Addr } from "../../addr.ts";
import { formatAddress } from "../../address/address.ts";
import { ipBytes } from "../../address/host.ts";
import type { Message } from "../../sink.ts";

/** A batch as columns: it travels to another thread in one piece. */
export interface Columns {
  ids: Float64Array<ArrayBuffer>;
  /** Milliseconds since 1970. */
  times: Float64Array<ArrayBuffer>;
  /** The index of each message's sender in `names`. */
  senders: Uint32Array<ArrayBuffer>;
  /** The senders as text, each once: strings take longest to transfer. */
  names: string[];
  /** 16 bytes each. */
  sources: Uint8Array<ArrayBuffer>;
  truncated: Uint8Array<ArrayBuffer>;
  /** The end of the data of each message. */
  ends: Uint32Array<ArrayBuffer>;
  data: Uint8Array<ArrayBuffer>;
}

/** Returns how many bytes of data the messages hold. */
export function sizeOf(messages: readonly Message[]): number {
  return messages.reduce((sum, { datagram }) => sum + datagram.data.length, 0);
}

/** Returns the messages as columns. @param size What `sizeOf` returns for them. */
export function toColumns(
  messages: readonly Message[],
  size: number,
): Columns {
  const { length } = messages;
  const columns: Columns = {
    ids: new Float64Array(length),
    times: new Float64Array(length),
    senders: new Uint32Array(length),
    names: [],
    sources: new Uint8Array(16 * length),
    truncated: new Uint8Array(length),
    ends: new Uint32Array(length),
    data: new Uint8Array(size),
  };
  const indexes = new Map<string, number>();
  let sender: Sender | undefined;
  let index = 0;
  let end = 0;
  messages.forEach(({ id, time, datagram }, i) => {
    const { data, from, truncated } = datagram;
    columns.ids[i] = id;
    columns.times[i] = time.getTime();
    // Mostly the same sender as before.
    if (sender === undefined || !isSame(sender.from, from)) {
      sender = senderOf(from);
      index = indexes.get(sender.text) ?? columns.names.push(sender.text) - 1;
      indexes.set(sender.text, index);
    }
    columns.senders[i] = index;
    columns.sources.set(sender.source, 16 * i);
    columns.truncated[i] = Number(truncated);
    columns.data.set(data, end);
    columns.ends[i] = end += data.length;
  });
  return columns;
}

interface Sender {
  from: Addr;
  source: Uint8Array;
  text: string;
}

/** A carrier may be the program's: what is no address has no text. */
function senderOf(from: Addr): Sender {
  try {
    const source = "hostname" in from
      ? ipBytes(from.hostname)
      : new Uint8Array(16);
    return { from, source, text: formatAddress(from) };
  } catch {
    return { from, source: new Uint8Array(16), text: "" };
  }
}

function isSame(one: Addr, other: Addr): boolean {
  return "hostname" in one && "hostname" in other &&
    one.port === other.port && one.hostname === other.hostname;
}
