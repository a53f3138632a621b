import type { Addr, UnixAddr } from "../addr.ts";
import { errors } from "../errors.ts";
import type { Carrier, CarrierSource } from "../carrier.ts";
import { requireUnstableNet } from "./udp.ts";

/**
 * Deno's own unix datagram sockets. They are one-way: a bound one receives and
 * an unbound one sends, because Deno refuses to send on a socket that receives.
 */
export function unix(): CarrierSource {
  return {
    schemes: ["unix"],
    listen: (address: UnixAddr) => new UnixReceiver(address),
    dial: (address: UnixAddr) => Promise.resolve(new UnixSender(address)),
  };
}

/** Bound to a path. The file goes when the socket does. */
class UnixReceiver implements Carrier {
  readonly addr: UnixAddr;
  readonly opened: Promise<void>;
  #conn: Deno.DatagramConn | undefined;
  #file: Deno.FileInfo | undefined;
  #closed = false;

  constructor(addr: UnixAddr) {
    this.addr = addr;
    try {
      this.#listen();
      this.opened = Promise.resolve();
    } catch (error) {
      const stale = error instanceof errors.AddrInUse &&
        Deno.lstatSync(addr.path);
      if (!stale || !stale.isSocket) throw error;
      this.opened = this.#replace(stale, error);
      // `receive` says it too, to those who do not ask here.
      this.opened.catch(() => {});
    }
  }

  async receive(
    p?: Uint8Array,
  ): Promise<[Uint8Array<ArrayBuffer>, Addr]> {
    await this.opened;
    if (this.#conn === undefined) {
      throw new errors.BadResource("closed while opening");
    }
    return await this.#conn.receive(p);
  }

  send(): Promise<number> {
    return Promise.reject(
      new errors.NotSupported(
        "a bound unix socket only receives; connect one to send",
      ),
    );
  }

  close(): void {
    this.#closed = true;
    if (this.#conn === undefined) return;
    this.#conn.close();
    // Another program may have put its own socket there.
    if (same(this.#file, stat(this.addr.path))) Deno.removeSync(this.addr.path);
  }

  #listen(): void {
    requireUnstableNet();
    this.#conn = Deno.listenDatagram({
      transport: "unixpacket",
      path: this.addr.path,
    });
    this.#file = stat(this.addr.path);
  }

  /** Takes the place of a socket that a crash left behind. */
  async #replace(stale: Deno.FileInfo, inUse: Error): Promise<void> {
    if (await hasListener(this.addr.path)) throw inUse;
    if (this.#closed) return;
    if (same(stale, stat(this.addr.path))) Deno.removeSync(this.addr.path);
    this.#listen();
  }
}

/** Unbound, so without an address of its own. */
class UnixSender implements Carrier {
  readonly addr = {
    transport: "unixpacket",
    path: null,
  } as unknown as UnixAddr;
  readonly remote: Addr;
  readonly #conn: Deno.DatagramConn;

  constructor(remote: Addr) {
    requireUnstableNet();
    this.remote = remote;
    this.#conn = Deno.listenDatagram({ transport: "unixpacket" });
  }

  receive(): Promise<[Uint8Array<ArrayBuffer>, Addr]> {
    return Promise.reject(
      new errors.NotSupported(
        "a connected unix socket only sends; bind one to receive",
      ),
    );
  }

  send(p: Uint8Array, to: Addr): Promise<number> {
    return this.#conn.send(p, to);
  }

  close(): void {
    this.#conn.close();
  }
}

/** Whether a socket is open there: to connect a stream fails in either case. */
async function hasListener(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    return !(error instanceof errors.ConnectionRefused ||
      error instanceof errors.NotFound);
  }
}

function stat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof errors.NotFound) return undefined;
    throw error;
  }
}

function same(a?: Deno.FileInfo, b?: Deno.FileInfo): boolean {
  return a !== undefined && b !== undefined && a.dev === b.dev &&
    a.ino === b.ino;
}
