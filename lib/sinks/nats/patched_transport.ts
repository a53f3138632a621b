/**
 * Patches the NATS client's transport, in exactly the version of deno.json.
 *
 * `NodeTransport` of `@nats-io/transport-node` 3.4.0 removes all listeners of a
 * socket several times before it adds its own. A connection that is reset in
 * between reports its error to no listener, which ends the process. The patch
 * keeps one listener on the socket at all times and changes nothing more. No
 * upstream issue is known (github.com/nats-io/nats.js). Remove this file when
 * `dial`, `peekInfo`, `startTLS` and `tlsFirst` keep a listener for errors.
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
  // Called without an event it removes all listeners; `undefined` is an event.
  socket.removeAllListeners = (...event: [event?: string | symbol]) => {
    removeAllListeners(...event);
    if (!socket.listeners("error").includes(ignore)) {
      socket.on("error", ignore);
    }
    return socket;
  };
  return socket.on("error", ignore);
}
