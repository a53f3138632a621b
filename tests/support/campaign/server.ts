import {
  type Answer,
  type CarrierSource,
  type Datagram,
  type DatagramServer,
  serve,
} from "../../../mod.ts";
import type { End } from "./ledger.ts";
import type { Party } from "./party.ts";
import { Thrown, type World } from "./world.ts";

/** A server whose callbacks misbehave, and what its handler got. */
export class ServerEnd implements End {
  readonly name = "server";
  readonly server: DatagramServer;
  isOpen = true;
  calls = 0;
  received = 0;
  /** Whom it answers. */
  client: Party | undefined;
  /** Does something with the client, in the middle of a callback. */
  act: (n: number) => void = () => {};
  readonly #world: World;
  #n = 0;

  constructor(world: World, address: string, carrier: CarrierSource) {
    this.#world = world;
    this.server = serve(address, (datagram) => this.#handle(datagram), {
      carrier,
      maxConcurrent: 4,
      onListen: (addr) => void Reflect.set(addr, "port", 9),
      onError: (_error, datagram) => this.#fail(datagram),
    });
  }

  #handle(datagram: Datagram): Answer | Promise<Answer> {
    const n = ++this.#n;
    this.#world.take(this, datagram);
    this.act(n);
    if (n % 7 === 0) throw new Thrown("thrown by a handler");
    if (n % 5 === 0) return undefined;
    const { client } = this;
    if (client === undefined) return undefined;
    if (n % 4 === 0) {
      // Given to the socket, which rejects it.
      this.calls++;
      return [5, null, {}, NaN][n % 3] as unknown as Answer;
    }
    const text = this.#world.ledger.message(this, client);
    return n % 3 === 0 ? Promise.resolve(text) : text;
  }

  #fail(datagram: Datagram | undefined): void {
    const n = ++this.#n;
    if (datagram !== undefined) Reflect.set(datagram.from, "port", n);
    this.act(n);
    if (n % 2 === 0) throw new Thrown("thrown by onError");
  }
}
