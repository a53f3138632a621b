import type { Addr, NetAddr, SchemeAddr, UnixAddr } from "../addr.ts";
import type { Datagram } from "../datagram.ts";
import type { CarrierSettings } from "./carriers.ts";
import type { FormatName } from "./format.ts";
import type { ForwardSettings } from "./forward_settings.ts";
import type { RecordSettings } from "./record_settings.ts";
import type { Secret } from "./secrets.ts";

/** The options of a command line, checked. */
export interface ServerSettings {
  address: SchemeAddr | UnixAddr;
  carrier: CarrierSettings;
  count: number;
  timeoutMs: number | undefined;
  endTimeoutMs: number | undefined;
  statsMs: number | undefined;
  format: FormatName;
  quiet: boolean;
  trace: boolean;
  /** For `bind`. */
  socket: {
    maxSize: number;
    allow?: string[];
    deny?: string[];
    rateLimit: { perSecond: number; burst: number | undefined } | undefined;
    answerLimit: number | undefined;
  };
  answer: ((datagram: Datagram<Addr>) => string | Uint8Array) | undefined;
  store: StoreSettings | undefined;
  record: RecordSettings | undefined;
  page: PageSettings | undefined;
  publish: PublishSettings | undefined;
  forward: ForwardSettings | undefined;
}

/** For `nats`. */
export interface PublishSettings {
  url: string;
  /** Where they come from, if they are not in the URL. */
  credentials: Secret | undefined;
}

/** For `openStore`. */
export interface StoreSettings {
  path: string;
  keepRows?: number;
  keepMs?: number;
  receipt: boolean;
}

/** For `page`. */
export interface PageSettings {
  /** Where it listens, as text. */
  listen: string;
  /** The same, as an address. */
  address: NetAddr;
  token: Secret;
  /** Its public names. */
  hosts: readonly string[];
}

/** Whether a server ever replies to its peers. */
export function isReplying({ answer, store }: ServerSettings): boolean {
  return answer !== undefined || store?.receipt === true;
}
