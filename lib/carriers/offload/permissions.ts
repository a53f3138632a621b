import { bracketed } from "../../address/authority.ts";
import { errors } from "../../errors.ts";

/**
 * The permission to use an address. libc does not ask, so the carrier does:
 * before it opens a socket, and again whenever it sends, since a permission can
 * be revoked at any time. A query costs 1.5 µs.
 */
export class NetPermission {
  readonly #descriptor: Deno.NetPermissionDescriptor & { host: string };

  constructor(hostname: string, port: number) {
    // Permissions have no zones.
    const host = `${bracketed(hostname.split("%", 1)[0] ?? "")}:${port}`;
    this.#descriptor = { name: "net", host };
  }

  /** Whether every address may be used (`--allow-net`, and no `--deny-net`). */
  static get isForAll(): boolean {
    const { state, partial } = Deno.permissions.querySync({ name: "net" });
    return state === "granted" && !partial;
  }

  get isGranted(): boolean {
    return Deno.permissions.querySync(this.#descriptor).state === "granted";
  }

  /** The error that Deno's own sockets throw without it. */
  get error(): Error {
    const { host } = this.#descriptor;
    return new errors.NotCapable(
      `Requires net access to "${host}", run again with the --allow-net flag`,
    );
  }

  /** @throws {Deno.errors.NotCapable} It is not granted. */
  require(): void {
    if (!this.isGranted) throw this.error;
  }
}
