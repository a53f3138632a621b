import type { BufferKind, CarrierControl } from "../../control.ts";
import type { Socket } from "./module.ts";
import { requireRealBuffers } from "./options.ts";

/** Returns what can be set on a socket of `node:dgram`: all of it, at once. */
export function controlOf(socket: Socket): CarrierControl {
  return {
    setBroadcast: (isAllowed) => socket.setBroadcast(isAllowed),
    setTtl: (hops) => void socket.setTTL(hops),
    setMulticastTtl: (hops) => void socket.setMulticastTTL(hops),
    setMulticastLoopback: (isOn) => void socket.setMulticastLoopback(isOn),
    setMulticastInterface: (address) => socket.setMulticastInterface(address),
    join(group, on, source) {
      if (source === undefined) socket.addMembership(group, on);
      else socket.addSourceSpecificMembership(source, group, on);
    },
    leave(group, on, source) {
      if (source === undefined) socket.dropMembership(group, on);
      else socket.dropSourceSpecificMembership(source, group, on);
    },
    bufferSize(kind: BufferKind) {
      return kind === "receive"
        ? socket.getRecvBufferSize()
        : socket.getSendBufferSize();
    },
    setBufferSize(kind: BufferKind, size: number) {
      requireRealBuffers(kind === "receive" ? "receiveBuffer" : "sendBuffer");
      if (kind === "receive") socket.setRecvBufferSize(size);
      else socket.setSendBufferSize(size);
    },
  };
}
