import { type Addr, copyAddr, type UnixAddr } from "../../addr.ts";
import type { Carrier } from "../../carrier.ts";
import { errors } from "../../errors.ts";
import { requireUnstableNet } from "../unstable_net.ts";

/** A unix socket that is not bound to a path, so it has no address. */
export class UnixSender implements Carrier {
  readonly addr: Addr;
  readonly remote: UnixAddr;
  readonly #conn: Deno.DatagramConn;

  constructor(remote: UnixAddr) {
    requireUnstableNet();
    this.remote = copyAddr(remote);
    // Without a path the socket stays unbound: its address has the path `null`.
    this.#conn = Deno.listenDatagram({ transport: "unixpacket" });
    this.addr = copyAddr(this.#conn.addr);
  }

  receive(): Promise<[Uint8Array<ArrayBuffer>, Addr]> {
    return Promise.reject(
      new errors.NotSupported(
        "a connected unix socket only sends; bind one to receive",
      ),
    );
  }

  send(p: Uint8Array, to: UnixAddr): Promise<number> {
    return this.#conn.send(p, to);
  }

  close(): void {
    this.#conn.close();
  }
}
