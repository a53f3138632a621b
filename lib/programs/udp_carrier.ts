import type { CarrierSource } from "../carrier.ts";
import { udp } from "../carriers/udp.ts";
import { withReceiveBuffer } from "./receive_buffer.ts";

/** What the options say of sockets for `udp://` addresses. */
export interface UdpSettings {
  /** Whether the offload carrier carries them. */
  readonly fast: boolean;
  /** The size of the system's buffer, in bytes, if it was given. */
  readonly receiveBuffer: number | undefined;
}

/**
 * Makes the carrier of sockets that receive, which has the buffer: offload, as
 * neither Deno's own sockets nor its `node:dgram` set it.
 *
 * @param quiet Whether only errors are printed.
 */
export async function udpCarrier(
  { fast, receiveBuffer }: UdpSettings,
  quiet: boolean,
): Promise<CarrierSource> {
  if (receiveBuffer === undefined) return fast ? await offload() : udp();
  const name = "offload";
  return withReceiveBuffer(await offload(), receiveBuffer, { name, quiet });
}

/** Loads the offload carrier, which programs without it do not need. */
export async function offload(
  metadata: "time"[] = [],
): Promise<CarrierSource> {
  return (await import("../carriers/offload.ts")).offload({ metadata });
}
