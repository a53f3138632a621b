import { formatAddress } from "../address/address.ts";
import { parseNatsUrl } from "../sinks/nats/url.ts";
import { toCarry } from "./carriers.ts";
import { forwardPurposes } from "./forward_settings.ts";
import {
  type Needs,
  toAnswer,
  toBind,
  toBindUnix,
  together,
  toReach,
  toSendToSelf,
  toStore,
} from "./needs.ts";
import type { Purpose } from "./permissions.ts";
import { toRecord } from "./record_settings.ts";
import { toServe } from "./page_settings.ts";
import { toKnowIfGiven } from "./secrets.ts";
import {
  isReplying,
  type PublishSettings,
  type ServerSettings,
} from "./server_settings.ts";
import { toCountSystemDrops } from "./system_drops.ts";

/** Returns the narrowest permissions that suffice, by their purposes. */
export function serverPurposes(settings: ServerSettings): Purpose[] {
  const { address, carrier, store, record, page, publish } = settings;
  const own = formatAddress(address);
  const listens = together(
    toListen(settings),
    toCarry(carrier),
    toCountSystemDrops(carrier),
    store === undefined ? {} : toStore(store.path),
    toRecord(record),
  );
  const purposes: Purpose[] = [[`listen on ${own}`, listens]];
  if (page !== undefined) {
    purposes.push(
      [`serve the page at ${page.listen}`, toServe(page)],
      [`send from the page to ${own}`, toSendToSelf(address)],
    );
  }
  if (publish !== undefined) {
    const { destination } = parseNatsUrl(publish.url);
    purposes.push([`publish to ${destination}`, toPublish(publish)]);
  }
  purposes.push(...forwardPurposes(settings.forward, address));
  return purposes;
}

/** Returns the narrowest permissions that suffice. */
export function serverNeeds(settings: ServerSettings): Needs {
  return together(...serverPurposes(settings).map(([, needs]) => needs));
}

function toListen(settings: ServerSettings): Needs {
  const { address, carrier } = settings;
  if ("path" in address) {
    return toBindUnix(address.path);
  }
  // Deno looks up the names of its own sockets after it checked the permission.
  const looksUp = carrier.fast || carrier.scheme === "quic";
  return (isReplying(settings) ? toAnswer : toBind)(address, looksUp);
}

function toPublish({ url, credentials }: PublishSettings): Needs {
  return together(
    toReach(parseNatsUrl(url)),
    credentials === undefined ? {} : toKnowIfGiven(credentials),
  );
}
