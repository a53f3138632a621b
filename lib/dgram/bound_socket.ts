import { Buffer } from "node:buffer";
import { errorMonitor } from "node:events";
import { nextTick } from "node:process";
import type { NetAddr } from "../addr.ts";
import type { Carrier } from "../carrier.ts";
import { countsOf } from "../check.ts";
import { errors } from "../errors.ts";
import { reasonOf } from "../warnings.ts";
import { addressInfo, localOf } from "./addresses.ts";
import { checkPort } from "./checks.ts";
import { controlOf } from "./control.ts";
import { ControlledSocket } from "./controlled_socket.ts";
import { codeOf, failure, systemFailure } from "./failures.ts";
import type { Ground } from "./ground.ts";
import { Intake } from "./intake.ts";
import { callSafely } from "./soon.ts";
import type { AddressInfo, Lookup, SocketOptions } from "./types.ts";

type Fn = (...args: unknown[]) => void;
type Failed = (error: Error) => void;

/** What waits until the socket is bound. */
interface Queued {
  readonly run: () => void;
  /** Gets the error if it cannot be bound. */
  readonly failed?: Failed | undefined;
}

/** The part of a socket that opens, receives and closes. */
export abstract class BoundSocket extends ControlledSocket {
  protected readonly ground: Ground;
  protected readonly options: SocketOptions;
  /** Looks up hosts. */
  protected lookUp: Lookup;
  #bindState: "unbound" | "binding" | "bound" = "unbound";
  #queue: Queued[] | undefined;
  #intake: Intake | undefined;
  // The interface of a link-local address, which its datagrams come in by.
  #zone = "";
  #isReferenced = true;
  readonly #dropped = { stranger: 0, denied: 0, unheard: 0 };

  constructor(ground: Ground, options: SocketOptions) {
    super(options.type);
    this.ground = ground;
    this.options = options;
    this.lookUp = options.lookup ?? ground.lookup();
    this.#closeWith(options.signal);
  }

  /** Whether it is bound. */
  protected get isBound(): boolean {
    return this.#bindState === "bound";
  }

  /** Whether a datagram from there is for the program. */
  protected abstract accepts(from: NetAddr): boolean;

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

  address(): AddressInfo {
    this.requireRunning();
    const { carrier } = this;
    if (carrier === undefined) throw systemFailure("getsockname", "EBADF");
    return addressInfo(this.#scoped(carrier.addr as NetAddr));
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

  protected whenBound(run: () => void, failed?: Failed): void {
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

  getDropped(): Record<string, number> {
    return { ...this.#dropped, ...countsOf(() => this.carrier?.drops?.()) };
  }

  #open(ip: string, port: number): void {
    const { reuseAddr, reusePort, ipv6Only } = this.options;
    const { recvBufferSize, sendBufferSize, carrier: source } = this.options;
    let carrier: Carrier;
    try {
      carrier = this.ground.open(
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
        callSafely(() => this.emit("close"));
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

  #arrived(bytes: Uint8Array<ArrayBuffer>, from: NetAddr): void {
    if (!this.accepts(from)) return void this.#dropped.stranger++;
    const { hostname, port } = this.#zone === "" ? from : this.#scoped(from);
    const family = hostname.includes(":") ? "IPv6" : "IPv4";
    const { receiveBlockList } = this.options;
    const list = family === "IPv6" ? "ipv6" : "ipv4";
    const { buffer, byteOffset, length } = bytes;
    callSafely(() => {
      if (receiveBlockList?.check(hostname, list)) {
        this.#dropped.denied++;
        return;
      }
      const data = Buffer.from(buffer, byteOffset, length);
      const isHeard = this.emit("message", data, {
        ...{ address: hostname, family, port, size: length },
      });
      if (!isHeard) this.#dropped.unheard++;
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
