import { nextTick } from "node:process";
import { findBuiltin } from "../../runtime.ts";
import type { Fn, Members } from "./builtins.ts";
import type { Patches } from "./patches.ts";
import { currentWorld } from "./world.ts";

/** What a look-up gives. */
interface Found {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Replaces the look-ups of hosts, and what a program reads of its own host. */
export function replaceHosts(patches: Patches): void {
  const dns = findBuiltin("node:dns");
  patches.replace(dns, "lookup", (before) => lookup(before as Fn));
  const promises = [findBuiltin("node:dns/promises"), dns?.["promises"]];
  for (const owner of new Set(promises)) {
    patches.replace(owner, "lookup", (before) => lookupLater(before as Fn));
  }
  patches.replace(
    findBuiltin("node:os"),
    "networkInterfaces",
    (before) => () => {
      const host = currentWorld()?.hosts?.current();
      return host === undefined ? (before as Fn)() : interfacesOf(host);
    },
  );
}

function lookup(before: Fn): Fn {
  return (...args) => {
    const callback = args.at(-1);
    const found = find(args);
    if (found === undefined || typeof callback !== "function") {
      return before(...args);
    }
    const { address, family } = found;
    const answer = isForAll(args[1]) ? [[found]] : [address, family];
    nextTick(callback as Fn, null, ...answer);
    return {};
  };
}

function lookupLater(before: Fn): Fn {
  return (...args) => {
    const found = find(args);
    if (found === undefined) return before(...args);
    return Promise.resolve(isForAll(args[1]) ? [found] : found);
  };
}

/** Finds a host of the network; leaves all others, and what is wrong, to the platform. */
function find([name, options]: unknown[]): Found | undefined {
  if (typeof name !== "string" || name === "") return undefined;
  const given = typeof options === "object" && options !== null
    ? (options as Members)["family"]
    : options;
  const family = given === 6 || given === "IPv6" ? 6 : 4;
  const address = currentWorld()?.hosts?.addressOf(name, family);
  if (address === undefined) return undefined;
  return { address, family: address.includes(":") ? 6 : 4 };
}

function isForAll(options: unknown): boolean {
  return typeof options === "object" && options !== null &&
    Boolean((options as Members)["all"]);
}

/** A host has a loopback interface, and one on the network. */
function interfacesOf(host: string): Members {
  const mac = "00:00:00:00:00:00";
  const of = (address: string, internal: boolean) => {
    const isIpv6 = address.includes(":");
    const netmask = isIpv6
      ? "ffff:ffff:ffff:ffff::"
      : internal
      ? "255.0.0.0"
      : "255.255.255.0";
    const bits = isIpv6 ? 64 : internal ? 8 : 24;
    const family = isIpv6 ? "IPv6" : "IPv4";
    const cidr = `${address}/${bits}`;
    return [{
      ...{ address, netmask, family, mac, internal, cidr },
      ...(isIpv6 && { scopeid: 0 }),
    }];
  };
  const isLocal = host === "127.0.0.1" || host === "::1";
  return {
    lo: of(isLocal ? host : "127.0.0.1", true),
    ...(!isLocal && { eth0: of(host, false) }),
  };
}
