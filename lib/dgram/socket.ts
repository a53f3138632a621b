import { Buffer } from "node:buffer";
import { errorMonitor } from "node:events";
import { nextTick } from "node:process";
import type { NetAddr } from "../addr.ts";
import type { Carrier } from "../carrier.ts";
import { canonicalIpv6, comparableHost, isIp } from "../address/host.ts";
import { errors } from "../errors.ts";
import { checkNumber, checkPort, checkString } from "./checks.ts";
import { controlOf } from "./control.ts";
import { ControlledSocket } from "./controlled_socket.ts";
import { codeOf, failure, systemFailure } from "./failures.ts";
import type { Ground } from "./ground.ts";
import { Intake } from "./intake.ts";
import { readOptions } from "./options.ts";
import { Outgoing } from "./outgoing.ts";
import { slice, toBytes } from "./payload.ts";
import { reasonOf } from "../warnings.ts";
import { callSafely } from "./soon.ts";
import type {
  AddressInfo,
  BindOptions,
  Lookup,
  MessageListener,
  Sent,
  SocketOptions,
  SocketType,
} from "./types.ts";

type Fn = (...args: unknown[]) => void;
type Connected = (error?: Error) => void;

/** What waits until the socket is bound. */
interface Queued {
  readonly run: () => void;
  /** Gets the error if it cannot be bound. */
  readonly failed?: Connected | undefined;
}

/** A socket of the facade. */
export class FacadeSocket extends ControlledSocket {
  readonly #ground: Ground;
  readonly #options: SocketOptions;
  readonly #outgoing = new Outgoing();
  // A look-up of the program's gets addresses, too, as in Node.
  readonly #looksUpNamesOnly: boolean;
  /** Looks up hosts. */
  protected lookUp: Lookup;
  #bindState: "unbound" | "binding" | "bound" = "unbound";
  #connectState: "disconnected" | "connecting" | "connected" = "disconnected";
  #queue: Queued[] | undefined;
  #intake: Intake | undefined;
  #peer: NetAddr | undefined;
  // The interface of a link-local address, which its datagrams come in by.
  #zone = "";
  #isReferenced = true;

  constructor(
    ground: Ground,
    given: SocketType | SocketOptions,
    listener?: MessageListener,
  ) {
    const options = readOptions(given);
    super(options.type);
    this.#ground = ground;
    this.#options = options;
    this.lookUp = options.lookup ?? ground.lookup();
    this.#looksUpNamesOnly = options.lookup === undefined;
    if (typeof listener === "function") this.on("message", listener as Fn);
    this.#closeWith(options.signal);
  }

  bind(...args: unknown[]): this {
    this.requireRunning();
    if (this.#bindState !== "unbound") {
      throw failure("ERR_SOCKET_ALREADY_BOUND", "Socket is already bound");
    }
    const last = args.at(-1);
    const { port, address } = localOf(args);
    const checked = port ? checkPort(port, "Port", { zero: true }) : 0;
    this.#bindState = "binding";
    if (typeof last === "function") this.#onceListening(last as () => void);
    const host = address || (this.type === "udp4" ? "0.0.0.0" : "::");
    const family = this.type === "udp4" ? 4 : 6;
    this.lookUp(host, family, (error, ip) => {
      if (this.isClosed) return;
      if (error) this.#failedToBind(error);
      else this.#open(ip, checked);
    });
    return this;
  }

  connect(
    port: unknown,
    address?: string | Connected,
    callback?: Connected,
  ): void {
    const checked = checkPort(port, "Port", { zero: false });
    const [host, connected] = typeof address === "function"
      ? ["", address]
      : [address ?? "", callback];
    checkString(host, "address");
    this.requireRunning();
    if (this.#connectState !== "disconnected") throw isConnected();
    this.#connectState = "connecting";
    const failed = () => void (this.#connectState = "disconnected");
    this.whenBound(() => {
      if (connected) this.once("connect", connected as Fn);
      this.#resolve(host, (error, ip) => {
        this.#connected(error, { host, ip, port: checked }, connected);
      });
    }, failed);
  }

  disconnect(): void {
    if (this.#connectState !== "connected") throw notConnected();
    this.#connectState = "disconnected";
    this.#peer = undefined;
  }

  remoteAddress(): AddressInfo {
    this.requireRunning();
    if (this.#peer === undefined) throw notConnected();
    return addressInfo(this.#peer);
  }

  address(): AddressInfo {
    this.requireRunning();
    const { carrier } = this;
    if (carrier === undefined) throw systemFailure("getsockname", "EBADF");
    return addressInfo(this.#scoped(carrier.addr as NetAddr));
  }

  sendto(
    message: unknown,
    offset: number,
    length: number,
    port: number,
    address: string,
    callback?: Sent,
  ): void {
    checkNumber(offset, "offset");
    checkNumber(length, "length");
    checkNumber(port, "port");
    checkString(address, "address");
    this.send(message, offset, length, port, address, callback);
  }

  send(
    message: unknown,
    offset?: unknown,
    length?: unknown,
    port?: unknown,
    address?: unknown,
    callback?: unknown,
  ): void {
    const isConnectedNow = this.#connectState === "connected";
    if (!isConnectedNow) {
      if (address || port && typeof port !== "function") {
        message = slice(message, offset, length);
      } else [callback, port, address] = [port, offset, length];
    } else {
      if (typeof length === "number") {
        message = slice(message, offset, length);
        if (typeof port === "function") [callback, port] = [port, null];
      } else callback = offset;
      if (port || address) throw isConnected();
    }
    const bytes = toBytes(message);
    const to = isConnectedNow ? 0 : checkPort(port, "Port", { zero: false });
    if (typeof address === "function") {
      [callback, address] = [address, undefined];
    } else if (address !== undefined && address !== null) {
      checkString(address, "address");
    }
    const sent = typeof callback === "function" ? callback as Sent : undefined;
    this.requireRunning();
    const host = (address ?? "") as string;
    if (this.#bindState === "bound") return this.#send(bytes, to, host, sent);
    this.whenBound(() => this.#send(bytes, to, host, sent), sent as Connected);
  }

  close(callback?: () => void): this {
    if (typeof callback === "function") this.on("close", callback);
    if (this.#queue !== undefined) {
      const close = () => void (this.isClosed || this.close());
      this.#queue.push({ run: close, failed: () => nextTick(close) });
      return this;
    }
    this.requireRunning();
    this.isClosed = true;
    this.#end();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isClosed) return;
    await new Promise<void>((resolve) => void this.close(resolve));
  }

  ref(): this {
    this.#isReferenced = true;
    if (!this.isClosed) this.carrier?.ref?.();
    return this;
  }

  unref(): this {
    this.#isReferenced = false;
    if (!this.isClosed) this.carrier?.unref?.();
    return this;
  }

  getSendQueueSize(): number {
    return this.#outgoing.bytes;
  }

  getSendQueueCount(): number {
    return this.#outgoing.count;
  }

  protected whenBound(run: () => void, failed?: Connected): void {
    if (this.#bindState === "unbound") this.bind({ port: 0, exclusive: true });
    // A lookup of the program's may call back at once.
    if (this.#bindState === "bound") return run();
    this.#queue ??= this.#makeQueue();
    this.#queue.push({ run, failed });
  }

  /** Tells that nothing could be received; the socket goes on. */
  protected receiveFailed(cause: unknown): void {
    const error = systemFailure("recvmsg", codeOf(cause), { cause });
    callSafely(() => this.emit("error", error));
  }

  #makeQueue(): Queued[] {
    const dropped = (error: Error) => {
      this.off("listening", bound);
      const queue = this.#queue ?? [];
      this.#queue = undefined;
      for (const { failed } of queue) callSafely(() => failed?.(error));
    };
    const bound = () => {
      this.off(errorMonitor, dropped as Fn);
      const queue = this.#queue ?? [];
      this.#queue = undefined;
      for (const { run } of queue) run();
    };
    this.once(errorMonitor, dropped as Fn);
    this.once("listening", bound);
    return [];
  }

  #onceListening(callback: () => void): void {
    const remove = () => {
      this.off("error", remove);
      this.off("listening", listening);
    };
    const listening = () => {
      remove();
      callback.call(this);
    };
    this.on("error", remove);
    this.on("listening", listening);
  }

  #open(ip: string, port: number): void {
    const { reuseAddr, reusePort, ipv6Only } = this.#options;
    const { recvBufferSize, sendBufferSize, carrier: source } = this.#options;
    let carrier: Carrier;
    try {
      carrier = this.#ground.open(
        { transport: "udp", hostname: ip, port },
        {
          ...{ reuseAddress: reuseAddr, reusePort, ipv6Only },
          ...{ receiveBuffer: recvBufferSize, sendBuffer: sendBufferSize },
        },
        source,
      );
    } catch (error) {
      return this.#cannotOpen(error, ip, port);
    }
    this.carrier = carrier;
    const [, zone] = ip.split("%");
    this.#zone = zone === undefined ? "" : `%${zone}`;
    if (carrier.opened === undefined) return this.#listening();
    carrier.opened.then(
      () => callSafely(() => this.isClosed || this.#listening()),
      (error) => callSafely(() => this.#cannotOpen(error, ip, port)),
    );
  }

  #listening(): void {
    const carrier = this.carrier!;
    this.control = controlOf(carrier, (syscall, cause) => {
      if (this.isClosed) return;
      const error = systemFailure(syscall, codeOf(cause), { cause });
      callSafely(() => this.emit("error", error));
    });
    this.#bindState = "bound";
    if (!this.#isReferenced) carrier.unref?.();
    this.#intake = new Intake(carrier, {
      arrived: (data, from) => this.#arrived(data, from),
      failed: (cause) => this.receiveFailed(cause),
      // Its host has crashed.
      ended: () => {
        if (this.isClosed) return;
        this.isClosed = true;
        this.emit("close");
      },
    });
    this.emit("listening");
  }

  #cannotOpen(cause: unknown, address: string, port: number): void {
    if (this.isClosed) return;
    const code = codeOf(cause);
    const error = systemFailure("bind", code, { address, port, cause });
    const isSystems = code !== "UNKNOWN" && code !== "ENOTSUP" &&
      !(cause instanceof errors.NotCapable);
    // It says what would do.
    if (!isSystems) error.message += `: ${reasonOf(cause)}`;
    this.#failedToBind(error);
  }

  #failedToBind(error: Error): void {
    this.carrier = undefined;
    this.#bindState = "unbound";
    this.emit("error", error);
  }

  /** Looks up a host, which is an IP address in most cases. */
  #resolve(
    host: string,
    then: (error: Error | null, ip: string) => void,
  ): void {
    const address = host || this.#ground.localhost(this.type);
    if (this.#looksUpNamesOnly && isIp(address)) {
      nextTick(then, null, address);
      return;
    }
    const family = this.type === "udp4" ? 4 : 6;
    this.lookUp(address, family, (error, ip) => then(error ?? null, ip));
  }

  #connected(
    error: Error | null,
    { host, ip, port }: { host: string; ip: string; port: number },
    connected: Connected | undefined,
  ): void {
    if (this.isClosed) return;
    const failed = error ?? blocked(this.#options.sendBlockList, ip);
    if (failed === undefined) {
      this.#connectState = "connected";
      this.#peer = { transport: "udp", hostname: ip, port };
      nextTick(() => this.emit("connect"));
      return;
    }
    this.#connectState = "disconnected";
    nextTick(() => {
      if (connected) {
        this.off("connect", connected as Fn);
        connected(failed);
      } else this.emit("error", failed);
    });
  }

  #send(bytes: Uint8Array, port: number, host: string, sent?: Sent): void {
    if (this.isClosed) return;
    if (this.#peer !== undefined && port === 0) {
      return this.#give(bytes, this.#peer, this.#peer.hostname, sent);
    }
    this.#resolve(host, (error, ip) => {
      if (error) {
        nextTick(() => sent ? sent(error, 0) : this.emit("error", error));
      } else if (!this.isClosed) {
        const to: NetAddr = { transport: "udp", hostname: ip, port };
        this.#give(bytes, to, host || ip, sent);
      }
    });
  }

  #give(bytes: Uint8Array, to: NetAddr, host: string, sent?: Sent): void {
    const { sendBlockList } = this.#options;
    const failed = blocked(sendBlockList, to.hostname) ??
      (to.hostname === "255.255.255.255" && !this.isBroadcast
        ? systemFailure("send", "EACCES", { address: host, port: to.port })
        : undefined);
    if (failed === undefined) {
      this.#outgoing.send(this.carrier!, bytes, to, host, sent);
    } else if (sent) nextTick(sent, failed);
  }

  #arrived(bytes: Uint8Array<ArrayBuffer>, from: NetAddr): void {
    const { hostname, port } = this.#zone === "" ? from : this.#scoped(from);
    const peer = this.#peer;
    if (peer !== undefined && !isFrom(peer, from)) return;
    const family = hostname.includes(":") ? "IPv6" : "IPv4";
    const { receiveBlockList } = this.#options;
    const list = family === "IPv6" ? "ipv6" : "ipv4";
    const { buffer, byteOffset, length } = bytes;
    callSafely(() => {
      if (receiveBlockList?.check(hostname, list)) return;
      const data = Buffer.from(buffer, byteOffset, length);
      this.emit("message", data, {
        ...{ address: hostname, family, port, size: length },
      });
    });
  }

  /** Adds the interface to a link-local address: systems leave it out. */
  #scoped(addr: NetAddr): NetAddr {
    const { hostname } = addr;
    const isScoped = hostname.startsWith("fe80:") && !hostname.includes("%");
    return isScoped ? { ...addr, hostname: hostname + this.#zone } : addr;
  }

  #end(): void {
    const { carrier } = this;
    this.#intake?.end();
    const closed = () => void this.emit("close");
    if (carrier === undefined) return nextTick(closed);
    try {
      carrier.close();
    } catch {
      // It is closed already, as the socket is from now on.
    }
    Promise.all([carrier.closed, this.#intake?.ended])
      .then(() => callSafely(closed), () => callSafely(closed));
  }

  #closeWith(signal: AbortSignal | undefined): void {
    if (signal === undefined) return;
    const close = () => void (this.isClosed || this.close());
    if (signal.aborted) return close();
    signal.addEventListener("abort", close, { once: true });
    this.once("close", () => signal.removeEventListener("abort", close));
  }
}

/** Reads the arguments of `bind`. */
function localOf([first, second]: unknown[]): BindOptions {
  if (typeof first === "object" && first !== null) {
    const { port, address, fd } = first as BindOptions;
    if (fd !== undefined) throw systemFailure("bind", "ENOTSUP");
    return { port, address };
  }
  return {
    port: typeof first === "function" ? 0 : first as number | undefined,
    address: typeof second === "function"
      ? undefined
      : second as string | undefined,
  };
}

function addressInfo({ hostname: address, port }: NetAddr): AddressInfo {
  const family = address.includes(":") ? "IPv6" : "IPv4";
  return { address, family, port };
}

/** Whether a datagram is from the peer that a socket is connected to. */
function isFrom(peer: NetAddr, from: NetAddr): boolean {
  if (peer.port !== from.port) return false;
  return peer.hostname === from.hostname ||
    comparable(peer.hostname) === comparable(from.hostname);
}

function comparable(host: string): string {
  const plain = comparableHost(host);
  return canonicalIpv6(plain) ?? plain;
}

function blocked(
  list: SocketOptions["sendBlockList"],
  ip: string,
): Error | undefined {
  if (!list?.check(ip, ip.includes(":") ? "ipv6" : "ipv4")) return undefined;
  return failure("ERR_IP_BLOCKED", `IP(${ip}) is blocked by net.BlockList`);
}

function isConnected(): Error {
  return failure("ERR_SOCKET_DGRAM_IS_CONNECTED", "Already connected");
}

function notConnected(): Error {
  return failure("ERR_SOCKET_DGRAM_NOT_CONNECTED", "Not connected");
}
