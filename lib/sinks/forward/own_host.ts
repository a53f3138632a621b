import { bracketed } from "../../address/authority.ts";
import { isLoopback } from "../../address/host.ts";
import { bind } from "../../open.ts";
import { globals } from "../../runtime.ts";

/**
 * Whether an IP address is one of this machine. Beyond loopback that shows by
 * binding it, and is `false` without the permission to do so: it is not asked for.
 */
export async function isOwnHost(hostname: string): Promise<boolean> {
  if (isLoopback(hostname)) return true;
  if (globals.Deno !== undefined) {
    const host = bracketed(hostname.split("%", 1)[0] ?? "");
    const { state } = Deno.permissions.querySync({ name: "net", host });
    if (state !== "granted") return false;
  }
  try {
    await using socket = bind({ transport: "udp", hostname, port: 0 });
    await socket.opened;
    return true;
  } catch {
    return false;
  }
}
