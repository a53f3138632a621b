import { nextTick } from "node:process";
import type { NetAddr } from "../addr.ts";
import { isIp } from "../address/host.ts";
import { addressInfo, blocked, isFrom } from "./addresses.ts";
import { BoundSocket } from "./bound_socket.ts";
import { checkNumber, checkPort, checkString } from "./checks.ts";
import { failure, systemFailure } from "./failures.ts";
import type { Ground } from "./ground.ts";
import { readOptions } from "./options.ts";
import { Outgoing } from "./outgoing.ts";
import { slice, toBytes } from "./payload.ts";
import type {
  AddressInfo,
  MessageListener,
  Sent,
  SocketOptions,
  SocketType,
} from "./types.ts";

type Fn = (...args: unknown[]) => void;
type Connected = (error?: Error) => void;

/** A socket of the facade. */
export class FacadeSocket extends BoundSocket {
  readonly #outgoing = new Outgoing();
  // A look-up of the program's gets addresses, too, as in Node.
  readonly #looksUpNamesOnly: boolean;
  #connectState: "disconnected" | "connecting" | "connected" = "disconnected";
  #peer: NetAddr | undefined;

  constructor(
    ground: Ground,
    given: SocketType | SocketOptions,
    listener?: MessageListener,
  ) {
    const options = readOptions(given);
    super(ground, options);
    this.#looksUpNamesOnly = options.lookup === undefined;
    if (typeof listener === "function") this.on("message", listener as Fn);
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
        this.#connected(error, { ip, port: checked }, connected);
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
    if (this.isBound) return this.#send(bytes, to, host, sent);
    this.whenBound(() => this.#send(bytes, to, host, sent), sent as Connected);
  }

  getSendQueueSize(): number {
    return this.#outgoing.bytes;
  }

  getSendQueueCount(): number {
    return this.#outgoing.count;
  }

  /** Looks up a host, which is an IP address in most cases. */
  #resolve(
    host: string,
    then: (error: Error | null, ip: string) => void,
  ): void {
    const address = host || this.ground.localhost(this.type);
    if (this.#looksUpNamesOnly && isIp(address)) {
      nextTick(then, null, address);
      return;
    }
    const family = this.type === "udp4" ? 4 : 6;
    this.lookUp(address, family, (error, ip) => then(error ?? null, ip));
  }

  #connected(
    error: Error | null,
    { ip, port }: { ip: string; port: number },
    connected: Connected | undefined,
  ): void {
    if (this.isClosed) return;
    const failed = error ?? blocked(this.options.sendBlockList, ip);
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
    const { sendBlockList } = this.options;
    const failed = blocked(sendBlockList, to.hostname) ??
      (to.hostname === "255.255.255.255" && !this.isBroadcast
        ? systemFailure("send", "EACCES", { address: host, port: to.port })
        : undefined);
    if (failed === undefined) {
      this.#outgoing.send(this.carrier!, { data: bytes, to, host, sent });
    } else if (sent) nextTick(sent, failed);
  }

  protected accepts(from: NetAddr): boolean {
    return this.#peer === undefined || isFrom(this.#peer, from);
  }
}

function isConnected(): Error {
  return failure("ERR_SOCKET_DGRAM_IS_CONNECTED", "Already connected");
}

function notConnected(): Error {
  return failure("ERR_SOCKET_DGRAM_NOT_CONNECTED", "Not connected");
}
