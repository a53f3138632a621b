import type { CarrierMembership } from "../../carrier.ts";
import { errors } from "../../errors.ts";
import { builtin } from "../../runtime.ts";
import { meaningOf } from "./failures.ts";
import type { Socket } from "./module.ts";

interface Fs {
  readdirSync(path: string): string[];
  readFileSync(path: string, encoding: "utf8"): string;
}

interface Os {
  networkInterfaces(): Record<
    string,
    readonly { readonly scopeid?: number }[] | undefined
  >;
}

/** What a membership is of. */
export interface Group {
  readonly group: string;
  /** For IPv4 an address of the interface, for IPv6 its index; 0 is any. */
  readonly on: string | number;
  /** The only host whose datagrams are received. @default {any} */
  readonly source?: string | undefined;
}

/** Joins a group. @throws As Deno's own sockets do. */
export function join(
  socket: Socket,
  { group, on, source }: Group,
): CarrierMembership {
  const networkInterface = interfaceOf(on);
  told(() => {
    if (source === undefined) socket.addMembership(group, networkInterface);
    else socket.addSourceSpecificMembership(source, group, networkInterface);
  });
  const later = (change: () => void) => Promise.try(() => told(change));
  return {
    leave: () =>
      later(() => {
        if (source === undefined) {
          socket.dropMembership(group, networkInterface);
        } else {
          socket.dropSourceSpecificMembership(source, group, networkInterface);
        }
      }),
    setLoopback: (isOn) => later(() => void socket.setMulticastLoopback(isOn)),
    setTTL: (ttl) => later(() => void socket.setMulticastTTL(ttl)),
  };
}

/** Returns the interface as `node:dgram` names it. */
function interfaceOf(on: string | number): string | undefined {
  if (typeof on === "string") return on === "0.0.0.0" ? undefined : on;
  if (on === 0) return undefined;
  const name = nameInLinux(on) ?? nameOfLink(on);
  if (name !== undefined) return `::%${name}`;
  throw new errors.NotFound(`no interface with the index ${on} was found`);
}

/** Returns the name of the interface with that index, on Linux: sysfs(5). */
function nameInLinux(index: number): string | undefined {
  const all = "/sys/class/net";
  try {
    const fs = builtin<Fs>("node:fs");
    return fs.readdirSync(all).find((name) =>
      Number(fs.readFileSync(`${all}/${name}/ifindex`, "utf8")) === index
    );
  } catch {
    // Another system, or Deno without the permission to read.
    return undefined;
  }
}

/** Returns the name of an interface that has a link-local address. */
function nameOfLink(index: number): string | undefined {
  try {
    const all = builtin<Os>("node:os").networkInterfaces();
    return Object.keys(all).find((name) =>
      all[name]?.some(({ scopeid }) => scopeid === index)
    );
  } catch {
    // Deno without the permission for that.
    return undefined;
  }
}

function told(call: () => void): void {
  try {
    call();
  } catch (error) {
    throw meaningOf(error);
  }
}
