// Carries each datagram as one binary WebSocket message, at tcp:// addresses.
import { type Carrier, type CarrierSource, formatAddress } from "@pli/datagram";

export const webSockets: CarrierSource = {
  schemes: ["tcp"],
  listen(address) {
    const options = { ...address as Deno.TcpListenOptions, onListen() {} };
    const server = Deno.serve(options, (request, { remoteAddr }) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      carrier.add(socket, remoteAddr).catch(() => {});
      return response;
    });
    const carrier = new WebSockets(server.addr, () => server.shutdown());
    return carrier;
  },
  async dial(remote) {
    const carrier = new WebSockets({ ...remote as Deno.NetAddr, port: 0 });
    const url = formatAddress(remote).replace("tcp:", "ws:");
    await carrier.add(new WebSocket(url), remote);
    return carrier;
  },
};
class WebSockets implements Carrier {
  readonly #peers = new Map<string, WebSocket>();
  readonly #queue = new TransformStream({}, { highWaterMark: 256 });
  readonly #arrivals = this.#queue.writable.getWriter();
  readonly #reader = this.#queue.readable.getReader();
  constructor(readonly addr: Deno.NetAddr, readonly stop = async () => {}) {}
  async add(socket: WebSocket, from: Deno.Addr): Promise<void> {
    socket.binaryType = "arraybuffer";
    socket.onclose = () => this.#peers.delete(formatAddress(from));
    socket.onmessage = ({ data }) => {
      const isRoom = this.#arrivals.desiredSize! > 0;
      if (!isRoom || typeof data === "string") return socket.close();
      this.#arrivals.write([new Uint8Array(data), from]);
    };
    await new Promise((open, fail) => {
      [socket.onopen, socket.onerror] = [open, () => fail("no WebSocket")];
    });
    this.#peers.set(formatAddress(from), socket);
  }
  async receive() {
    const { value, done } = await this.#reader.read();
    if (done) throw new Deno.errors.Interrupted("closed");
    return value;
  }
  send(p: Uint8Array, to: Deno.Addr) {
    const socket = this.#peers.get(formatAddress(to));
    if (!socket || socket.bufferedAmount > 1e6) throw new Error("not reading");
    socket.send(p.slice());
    return Promise.resolve(p.length);
  }
  close() {
    for (const socket of this.#peers.values()) socket.close();
    this.#arrivals.close();
    return this.stop();
  }
  end = () => this.close();
}
