import { copyAddr, isConnected, type NetAddr } from "../../addr.ts";
import type { CarrierSource } from "../../carrier.ts";
import { errors } from "../../errors.ts";
import { bind, connect } from "../../open.ts";
import type { ConnectedSocket } from "../../socket/connected_socket.ts";
import type { DatagramSocket } from "../../socket/datagram_socket.ts";
import { type Ends, type Setup, TRIES } from "./ends.ts";
import { checkSums } from "./sums.ts";

// How long a datagram may take before one that may have been lost is sent again.
const AGAIN_MS = 250;
// A datagram that must arrive is missing if it takes longer.
const MISSING_MS = 10_000;

/** Opens a socket and a client, runs a check, and checks the sums. */
export async function withEnds(
  setup: Setup,
  run: (ends: Ends) => Promise<void>,
): Promise<void> {
  await using ends = new OpenEnds(setup);
  await ends.open();
  await run(ends);
  await ends.checkSums();
}

class OpenEnds implements Ends, AsyncDisposable {
  readonly carrier: CarrierSource;
  readonly socket: DatagramSocket;
  readonly patienceMs: number;
  readonly address: () => string;
  readonly #setup: Setup;
  readonly #bound: NetAddr;
  readonly #clients: ConnectedSocket[] = [];

  constructor(setup: Setup) {
    const { carrier, address, lossless, needs: { maxSize } } = setup;
    const options = { carrier, ...(maxSize !== undefined && { maxSize }) };
    this.#setup = setup;
    this.carrier = carrier;
    this.address = address;
    this.patienceMs = lossless ? MISSING_MS : AGAIN_MS;
    this.socket = bind(address(), options);
    this.#bound = copyAddr(this.socket.addr);
  }

  get bound(): NetAddr {
    return copyAddr(this.#bound);
  }

  get client(): ConnectedSocket {
    const [client] = this.#clients;
    if (client === undefined) throw new TypeError("not open");
    return client;
  }

  async open(): Promise<void> {
    await this.socket.opened;
    await this.another();
  }

  readonly another: Ends["another"] = async (to = this.#bound) => {
    const client = await connect(to, { carrier: this.carrier });
    this.#clients.push(client);
    return client;
  };

  readonly next: Ends["next"] = async (receiver) => {
    try {
      return await receiver.receive({ timeoutMs: this.patienceMs });
    } catch (error) {
      const mayBeLost = !this.#setup.lossless;
      if (error instanceof errors.TimedOut && mayBeLost) return undefined;
      throw error;
    }
  };

  readonly texts: Ends["texts"] = async (receiver, count) => {
    const texts: string[] = [];
    while (texts.length < count) {
      const datagram = await this.next(receiver);
      if (datagram === undefined) break;
      texts.push(datagram.text());
    }
    return texts;
  };

  readonly pass: Ends["pass"] = async (message, from = this.client) => {
    for (let tries = 1; tries < TRIES; tries++) {
      await from.send(message);
      const datagram = await this.next(this.socket);
      if (datagram !== undefined) return datagram;
    }
    await from.send(message);
    return await this.socket.receive();
  };

  async checkSums(): Promise<void> {
    const { lossless, needs: { overfills = false } } = this.#setup;
    const isExact = lossless && (isConnected(this.#bound) || !overfills);
    await checkSums({ socket: this.socket, clients: this.#clients, isExact });
  }

  /** All at once: over connections each end waits for the other. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [this.socket, ...this.#clients];
    await Promise.all(all.map((socket) => socket[Symbol.asyncDispose]()));
  }
}
