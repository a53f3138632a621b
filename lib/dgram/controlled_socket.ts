import { EventEmitter } from "node:events";
import { canonicalIpv6, IPV4, isMulticast } from "../address/host.ts";
import type { Carrier } from "../carrier.ts";
import type { BufferKind, CarrierControl } from "../control.ts";
import { checkNumber, checkString } from "./checks.ts";
import { codeOf, failure, notRunning, systemFailure } from "./failures.ts";
import { bufferFailure } from "./buffer_failure.ts";
import type { SocketType } from "./types.ts";

const MAX_HOPS = 255;
const MAX_BUFFER = 2 ** 31 - 1;

/** The part of a socket that sets and tells what the system's socket has. */
export abstract class ControlledSocket extends EventEmitter {
  readonly type: SocketType;
  /** `undefined` until the socket is bound. */
  protected carrier: Carrier | undefined;
  protected control: CarrierControl | undefined;
  protected isClosed = false;
  /** Whether datagrams may go to broadcast addresses. */
  protected isBroadcast = false;

  constructor(type: SocketType) {
    super();
    this.type = type;
  }

  /** Binds the socket if it is not, and calls back when it is. */
  protected abstract whenBound(call: () => void): void;

  setBroadcast(isAllowed: unknown): void {
    this.#change("setBroadcast", "setBroadcast", Boolean(isAllowed));
    this.isBroadcast = Boolean(isAllowed);
  }

  setTTL(ttl: number): number {
    checkNumber(ttl, "ttl");
    this.#change("setTTL", "setTtl", this.#hops("setTTL", ttl, 1));
    return ttl;
  }

  setMulticastTTL(ttl: number): number {
    checkNumber(ttl, "ttl");
    const hops = this.#hops("setMulticastTTL", ttl, 0);
    this.#change("setMulticastTTL", "setMulticastTtl", hops);
    return ttl;
  }

  setMulticastLoopback<T>(isOn: T): T {
    const value = Boolean(isOn);
    this.#change("setMulticastLoopback", "setMulticastLoopback", value);
    return isOn;
  }

  setMulticastInterface(interfaceAddress: string): void {
    this.requireRunning();
    checkString(interfaceAddress, "interfaceAddress");
    const [host = ""] = interfaceAddress.split("%", 1);
    const isOfFamily = this.type === "udp4"
      ? IPV4.test(interfaceAddress)
      : canonicalIpv6(host) !== undefined && host.includes(":");
    const syscall = "setMulticastInterface";
    if (!isOfFamily) throw systemFailure(syscall, "EINVAL");
    if (this.type === "udp4" && isMulticast(host)) {
      throw systemFailure(syscall, "EADDRNOTAVAIL");
    }
    this.#change(syscall, syscall, interfaceAddress);
  }

  addMembership(group: string, on?: string): void {
    this.#membership("addMembership", group, on);
  }

  dropMembership(group: string, on?: string): void {
    this.#membership("dropMembership", group, on);
  }

  addSourceSpecificMembership(
    source: string,
    group: string,
    on?: string,
  ): void {
    this.#sourceMembership("addSourceSpecificMembership", source, group, on);
  }

  dropSourceSpecificMembership(
    source: string,
    group: string,
    on?: string,
  ): void {
    this.#sourceMembership("dropSourceSpecificMembership", source, group, on);
  }

  getRecvBufferSize(): number {
    return this.#bufferSize("receive");
  }

  setRecvBufferSize(size: number): void {
    this.#setBufferSize("receive", size);
  }

  getSendBufferSize(): number {
    return this.#bufferSize("send");
  }

  setSendBufferSize(size: number): void {
    this.#setBufferSize("send", size);
  }

  /** @throws {Error} The socket is closed. */
  protected requireRunning(): void {
    if (this.isClosed) throw notRunning();
  }

  /** Calls a member of the control, and turns what it throws into Node's errors. */
  #change<N extends keyof CarrierControl>(
    syscall: string,
    name: N,
    ...args: Parameters<NonNullable<CarrierControl[N]>>
  ): void {
    this.requireRunning();
    if (this.control === undefined) throw systemFailure(syscall, "EBADF");
    const change = this.control[name] as
      | ((...args: unknown[]) => void)
      | undefined;
    if (change === undefined) throw systemFailure(syscall, "ENOTSUP");
    try {
      change.apply(this.control, args);
    } catch (cause) {
      throw systemFailure(syscall, codeOf(cause), { cause });
    }
  }

  #hops(syscall: string, ttl: number, from: number): number {
    this.requireRunning();
    if (this.control === undefined) throw systemFailure(syscall, "EBADF");
    if (ttl >= from && ttl <= MAX_HOPS) return ttl;
    throw systemFailure(syscall, "EINVAL");
  }

  #membership(
    syscall: "addMembership" | "dropMembership",
    group: string,
    on: string | undefined,
  ): void {
    this.requireRunning();
    if (!group) {
      throw failure(
        "ERR_MISSING_ARGS",
        'The "multicastAddress" argument must be specified',
        TypeError,
      );
    }
    if (!this.#isGroup(group)) throw systemFailure(syscall, "EINVAL");
    this.#member(syscall, group, on);
  }

  #sourceMembership(
    syscall: "addSourceSpecificMembership" | "dropSourceSpecificMembership",
    source: string,
    group: string,
    on: string | undefined,
  ): void {
    this.requireRunning();
    checkString(source, "sourceAddress");
    checkString(group, "groupAddress");
    if (!this.#isGroup(group)) throw systemFailure(syscall, "EINVAL");
    this.#member(syscall, group, on, source);
  }

  #member(syscall: string, group: string, on?: string, source?: string): void {
    const name = syscall.startsWith("add") ? "join" : "leave";
    if (this.control !== undefined) {
      return this.#change(syscall, name, group, on || undefined, source);
    }
    if (name === "leave") throw systemFailure(syscall, "EADDRNOTAVAIL");
    this.whenBound(() => this.#change(syscall, name, group, on, source));
  }

  #isGroup(group: string): boolean {
    const isIpv6 = String(group).includes(":");
    return isIpv6 === (this.type === "udp6") && isMulticast(String(group));
  }

  #bufferSize(kind: BufferKind): number {
    this.requireRunning();
    const { control } = this;
    if (control === undefined) throw bufferFailure(kind, "EBADF");
    if (control.bufferSize === undefined) throw bufferFailure(kind, "ENOTSUP");
    try {
      return control.bufferSize(kind);
    } catch (error) {
      throw bufferFailure(kind, codeOf(error));
    }
  }

  #setBufferSize(kind: BufferKind, size: number): void {
    this.requireRunning();
    if (size >>> 0 !== size) {
      throw failure(
        "ERR_SOCKET_BAD_BUFFER_SIZE",
        "Buffer size must be a positive integer",
        TypeError,
      );
    }
    const { control } = this;
    if (control === undefined) throw bufferFailure(kind, "EBADF");
    if (size > MAX_BUFFER) throw bufferFailure(kind, "EINVAL");
    if (control.setBufferSize === undefined) {
      throw bufferFailure(kind, "ENOTSUP");
    }
    try {
      control.setBufferSize(kind, size);
    } catch (error) {
      throw bufferFailure(kind, codeOf(error));
    }
  }
}
