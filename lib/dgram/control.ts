import type { Carrier, CarrierMembership } from "../carrier.ts";
import type { CarrierControl } from "../control.ts";

// Every host is a member of it (RFC 1112, section 4), so that joining it on the
// loopback interface changes nothing: for what belongs to memberships.
const ALL_HOSTS = "224.0.0.1";
const LOOPBACK = "127.0.0.1";

/**
 * Returns what can be set on a carrier: its own `control`, or what can be done by
 * its memberships.
 *
 * @param failed Gets what goes wrong later.
 */
export function controlOf(
  carrier: Carrier,
  failed: (syscall: string, cause: unknown) => void,
): CarrierControl {
  return carrier.control ?? byMemberships(carrier, failed);
}

function byMemberships(
  carrier: Carrier,
  failed: (syscall: string, cause: unknown) => void,
): CarrierControl {
  const { addr } = carrier;
  const isIpv6 = "hostname" in addr && addr.hostname.includes(":");
  const members = new Map<string, Promise<CarrierMembership>>();
  const { joinMulticastV4, joinMulticastV6, joinSource } = carrier;
  const join = (group: string, on?: string, source?: string) => {
    if (source !== undefined) {
      if (joinSource === undefined) throw withCode("ENOTSUP");
      const any = isIpv6 ? 0 : "0.0.0.0";
      return joinSource.call(carrier, source, group, on ?? any);
    }
    if (isIpv6) {
      if (joinMulticastV6 === undefined) throw withCode("ENOTSUP");
      return joinMulticastV6.call(carrier, group, indexOf(on));
    }
    if (joinMulticastV4 === undefined) throw withCode("ENOTSUP");
    return joinMulticastV4.call(carrier, group, on ?? "0.0.0.0");
  };
  const keyOf = (...parts: (string | undefined)[]) => parts.join(" ");
  // One at a time can be joined, so that it is kept.
  let own: Promise<CarrierMembership> | undefined;
  const setByMembership = async (
    syscall: string,
    change: (membership: CarrierMembership) => Promise<void> | undefined,
  ) => {
    try {
      own ??= isIpv6 ? join("ff02::1", "::%1") : join(ALL_HOSTS, LOOPBACK);
      await change(await own);
    } catch (error) {
      failed(syscall, error);
    }
  };
  return {
    // Deno's own sockets may always send to broadcast addresses.
    setBroadcast() {},
    ...(!isIpv6 && {
      setMulticastTtl: (hops) =>
        void setByMembership("setMulticastTTL", (one) => one.setTTL?.(hops)),
    }),
    setMulticastLoopback: (isOn) =>
      void setByMembership(
        "setMulticastLoopback",
        (one) => one.setLoopback(isOn),
      ),
    setMulticastInterface(address) {
      // The system chooses, as it does anyway.
      if (address !== (isIpv6 ? "::" : "0.0.0.0")) throw withCode("ENOTSUP");
    },
    join(group, on, source) {
      const key = keyOf(group, on, source);
      if (members.has(key)) throw withCode("EADDRINUSE");
      const membership = join(group, on, source);
      members.set(key, membership);
      membership.catch((error) => {
        members.delete(key);
        failed("addMembership", error);
      });
    },
    leave(group, on, source) {
      const key = keyOf(group, on, source);
      const membership = members.get(key);
      if (membership === undefined) throw withCode("EADDRNOTAVAIL");
      members.delete(key);
      membership.then((one) => one.leave())
        .catch((error) => failed("dropMembership", error));
    },
  };
}

/** Returns the index of an interface that is given as `::%2`; 0 is any. */
function indexOf(on: string | undefined): number {
  const [, zone = "0"] = on?.split("%") ?? [];
  const index = Number(zone);
  if (Number.isInteger(index)) return index;
  throw withCode("ENODEV");
}

function withCode(code: string): Error {
  return Object.assign(new Error(code), { code });
}
