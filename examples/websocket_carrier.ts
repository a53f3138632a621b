// A carrier of your own: each datagram is a binary message on a WebSocket.
import { type Carrier, type CarrierSource, formatAddress } from "@pli/datagram";
export const webSockets: CarrierSource = {
  schemes: ["tcp"],
  listen({ hostname, port }: Deno.NetAddr) {
    const options = { hostname, port, onListen() {}, onError: () => no(426) };
    const server = Deno.serve(options, (request, { remoteAddr }) => {
      if (carrier.peers.size >= 256) return no(503);
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
const no = (status: number) =>
  new Response(null, { status, headers: { upgrade: "websocket" } });
const nop = () => {};
const gone = () => Promise.reject(new Deno.errors.ConnectionReset("closed"));
class WebSockets implements Carrier {
  readonly peers = new Map<string, WebSocket>();
  readonly #queue = new TransformStream();
  readonly arrivals = this.#queue.writable.getWriter();
  readonly #reader = this.#queue.readable.getReader();
  readonly #drops = { queueFull: 0, closed: 0 };
  #unread = 0;
  closed?: Promise<void>;
  readonly addr: Deno.NetAddr;
  readonly stop: () => Promise<void>;

  constructor(addr: Deno.NetAddr, stop = async () => {}) {
    this.addr = addr;
    this.stop = stop;
  }
  async add(socket: WebSocket, from: Deno.NetAddr): Promise<void> {
    socket.binaryType = "arraybuffer";
    socket.onclose = () => this.peers.delete(formatAddress(from));
    let waiting = 0; // Bytes of this peer: a flood takes no other's place.
    const take = async (data: Uint8Array) => {
      waiting += data.length + 64;
      this.#unread++;
      await this.arrivals.write([data, { ...from }]).catch(nop);
      waiting -= data.length + 64;
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") socket.close(1003, "binary messages only");
      else if (waiting > 1e6) this.#drops.queueFull++;
      else take(new Uint8Array(data));
    };
    await new Promise((done) => socket.onopen = socket.onerror = done);
    if (socket.readyState !== WebSocket.OPEN) throw new Error("no WebSocket");
    this.peers.set(formatAddress(from), socket);
  }
  receive = async () => {
    const { value } = await this.#reader.read();
    return value ? (this.#unread--, value) : gone();
  };
  send(p: Uint8Array, to: Deno.NetAddr) {
    const socket = this.peers.get(formatAddress(to));
    if (!socket || socket.bufferedAmount > 1e6) throw new Error("not reading");
    socket.send(p.slice());
    return Promise.resolve(p.length);
  }
  drops = () => this.#drops;
  close() {
    for (const socket of this.peers.values()) socket.close();
    this.#drops.closed = this.#unread;
    this.arrivals.abort(new Deno.errors.Interrupted("closed"));
    this.closed = this.stop();
  }
}
