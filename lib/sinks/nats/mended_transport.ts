/**
 * Mends the NATS client's transport, of exactly the version in deno.json. It
 * takes all listeners off a socket before it lets go of it, and often enough
 * that a reset connection reports its error in between: to nobody, which ends
 * the process. With a listener that always stays, nothing else changes.
 *
 * @module
 */
import type { Socket } from "node:net";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";

const { dial, startTLS, tlsFirst } = NodeTransport.prototype;

NodeTransport.prototype.dial = async function (...args) {
  return guarded(await dial.apply(this, args));
};
NodeTransport.prototype.startTLS = async function () {
  return guarded(await startTLS.apply(this));
};
NodeTransport.prototype.tlsFirst = async function (...args) {
  return guarded(await tlsFirst.apply(this, args));
};

function guarded<S extends Socket>(socket: S): S {
  const ignore = () => {};
  const removeAllListeners = socket.removeAllListeners.bind(socket);
  // Without an event it is for all of them, and `undefined` is an event.
  socket.removeAllListeners = (...event) => {
    removeAllListeners(...event);
    if (!socket.listeners("error").includes(ignore)) {
      socket.on("error", ignore);
    }
    return socket;
  };
  return socket.on("error", ignore);
}
