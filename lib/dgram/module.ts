import type { Ground } from "./ground.ts";
import { FacadeSocket } from "./socket.ts";
import type {
  DgramModule,
  MessageListener,
  SocketClass,
  SocketOptions,
  SocketType,
  UdpSocket,
} from "./types.ts";

/** Makes what `node:dgram` exports, for sockets that stand on that ground. */
export function makeDgram(ground: Ground): DgramModule {
  class DgramSocket extends FacadeSocket {
    constructor(
      type: SocketType | SocketOptions,
      listener?: MessageListener,
    ) {
      super(ground, type, listener);
    }
  }
  Object.defineProperty(DgramSocket, "name", { value: "Socket" });
  const Socket = DgramSocket as unknown as SocketClass;
  return {
    createSocket: (type, listener): UdpSocket => new Socket(type, listener),
    Socket,
  };
}
