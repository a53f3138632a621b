import { type Addr, copyAddr, type UnixAddr } from "../../addr.ts";
import type { Carrier } from "../../carrier.ts";
import { errors } from "../../errors.ts";
import { requireUnstableNet } from "../unstable_net.ts";

/** A unix socket that is bound to a path. Closing it removes the file. */
export class UnixReceiver implements Carrier {
  readonly addr: UnixAddr;
  readonly opened: Promise<void>;
  // A copy: a program may change what it was given.
  readonly #addr: UnixAddr;
  #conn: Deno.DatagramConn | undefined;
  #file: Deno.FileInfo | undefined;
  #closed = false;
  // Datagrams that Deno consumed and could not deliver.
  #badSenders = 0;

  constructor(addr: UnixAddr) {
    this.#addr = copyAddr(addr);
    this.addr = copyAddr(addr);
    try {
      this.#listen();
      this.opened = Promise.resolve();
    } catch (error) {
      const stale = error instanceof errors.AddrInUse &&
        stat(this.#addr.path);
      if (!stale || !stale.isSocket) throw error;
      this.opened = this.#replace(stale, error);
      // `receive` rejects with it too, if the program does not await `opened`.
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
    for (;;) {
      try {
        return await this.#conn.receive(p);
      } catch (error) {
        // The sender has a name that is not UTF-8. That is its own fault.
        if (!(error instanceof errors.InvalidData)) throw error;
        this.#badSenders++;
      }
    }
  }

  drops(): Record<string, number> {
    return this.#badSenders > 0 ? { badSender: this.#badSenders } : {};
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
    // Another program may have put a socket of its own there.
    if (isSame(this.#file, stat(this.#addr.path))) {
      Deno.removeSync(this.#addr.path);
    }
  }

  #listen(): void {
    requireUnstableNet();
    this.#conn = Deno.listenDatagram({
      transport: "unixpacket",
      path: this.#addr.path,
    });
    this.#file = stat(this.#addr.path);
  }

  /** Replaces a socket file that a crash left behind. */
  async #replace(stale: Deno.FileInfo, inUse: Error): Promise<void> {
    if (await hasListener(this.#addr.path)) throw inUse;
    if (this.#closed) return;
    if (isSame(stale, stat(this.#addr.path))) Deno.removeSync(this.#addr.path);
    this.#listen();
  }
}

/**
 * Whether a socket is open at that path. Connecting a stream to a datagram
 * socket always fails, but with `ConnectionRefused` only if nothing listens.
 */
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
  // An abstract name has no file.
  if (path.startsWith("\0")) return undefined;
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof errors.NotFound) return undefined;
    throw error;
  }
}

function isSame(a?: Deno.FileInfo, b?: Deno.FileInfo): boolean {
  return a !== undefined && b !== undefined && a.dev === b.dev &&
    a.ino === b.ino;
}
