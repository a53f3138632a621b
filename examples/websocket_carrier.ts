// A carrier of your own: each datagram is a binary message on a WebSocket.
import { type Carrier, type CarrierSource, formatAddress } from "@pli/datagram";
export const webSockets: CarrierSource = {
  schemes: ["tcp"],
  listen({ hostname, port }: Deno.NetAddr) {
    const headers = { upgrade: "websocket" };
    const onError = () => new Response(null, { status: 426, headers });
    const options = { hostname, port, onListen() {}, onError };
    const server = Deno.serve(options, (request, { remoteAddr }) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      carrier.add(socket, remoteAddr).catch(nop);
      return response;
    });
    const carrier = new WebSockets(server.addr, () => server.shutdown());
    return carrier;
  },
  async dial(remote: Deno.NetAddr) {
    const carrier = new WebSockets({ ...remote, port: 0 });
    const socket = new WebSocket(formatAddress(remote).replace("tcp", "ws"));
    await carrier.add(socket, remote);
    socket.onclose = () => carrier.arrivals.close().catch(nop);
    return carrier;
  },
};
const nop = () => {};
const gone = () => Promise.reject(new Deno.errors.ConnectionReset("closed"));
class WebSockets implements Carrier {
  readonly #peers = new Map<string, WebSocket>();
  readonly #queue = new TransformStream({}, { highWaterMark: 256 });
  readonly arrivals = this.#queue.writable.getWriter();
  readonly #reader = this.#queue.readable.getReader();
  readonly #drops = { queueFull: 0 };
  closed?: Promise<void>;
  constructor(readonly addr: Deno.NetAddr, readonly stop = async () => {}) {}
  async add(socket: WebSocket, from: Deno.NetAddr): Promise<void> {
    socket.binaryType = "arraybuffer";
    socket.onclose = () => this.#peers.delete(formatAddress(from));
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") socket.close(1003, "binary messages only");
      else if (!(this.arrivals.desiredSize! > 0)) this.#drops.queueFull++;
      else this.arrivals.write([new Uint8Array(data), { ...from }]).catch(nop);
    };
    await new Promise((done) => socket.onopen = socket.onerror = done);
    if (socket.readyState !== WebSocket.OPEN) throw new Error("no WebSocket");
    this.#peers.set(formatAddress(from), socket);
  }
  receive = async () => (await this.#reader.read()).value ?? gone();
  send(p: Uint8Array, to: Deno.NetAddr) {
    const socket = this.#peers.get(formatAddress(to));
    if (!socket || socket.bufferedAmount > 1e6) throw new Error("not reading");
    socket.send(p.slice());
    return Promise.resolve(p.length);
  }
  drops = () => this.#drops;
  close() {
    for (const socket of this.#peers.values()) socket.close();
    this.arrivals.abort(new Deno.errors.Interrupted("closed"));
    this.closed = this.stop();
  }
}
