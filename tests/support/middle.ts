import { bind, connect, type ConnectedSocket } from "../../mod.ts";

/**
 * A NAT between clients and a server: each client has an outer port, which can
 * be changed, given to another client, or cut off.
 */
export class Nat implements AsyncDisposable {
  readonly #outer: ConnectedSocket[] = [];
  readonly #server: Deno.NetAddr;
  readonly #inside: InsideOf[] = [];

  constructor(server: Deno.NetAddr) {
    this.#server = { ...server, transport: "udp" };
  }

  /** Opens a port on the outside. @returns Its number in the order of opening. */
  async open(): Promise<number> {
    const { hostname, port } = this.#server;
    const socket = await connect(`udp://${hostname}:${port}`);
    return this.#outer.push(socket) - 1;
  }

  /** The port number that the server sees. */
  portOf(outer: number): number {
    return this.#outer[outer]!.addr.port;
  }

  /** Opens an address for one client, whose packets leave by an outer port. */
  inside(outer: number): InsideOf {
    const inside = new InsideOf(this.#outer, outer);
    this.#inside.push(inside);
    return inside;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const inside of this.#inside) await inside[Symbol.asyncDispose]();
    for (const socket of this.#outer) await socket[Symbol.asyncDispose]();
  }
}

/** The address that one client sends to. */
export class InsideOf implements AsyncDisposable {
  readonly #socket = bind("udp://127.0.0.1:0");
  readonly #outer: readonly ConnectedSocket[];
  readonly #up: Promise<void>;
  #client: Deno.NetAddr | undefined;
  #abort = new AbortController();
  #down: Promise<void>;
  #isCut = false;

  constructor(outer: readonly ConnectedSocket[], at: number) {
    this.#outer = outer;
    this.#down = this.#passDown(at);
    this.at = at;
    this.#up = this.#passUp();
  }

  /** The outer port in use. */
  at: number;

  /** Where the client connects to. */
  get address(): string {
    return `quic://127.0.0.1:${this.#socket.addr.port}`;
  }

  /** Gives the client another outer port. */
  async move(to: number): Promise<void> {
    this.#abort.abort();
    await this.#down;
    this.#abort = new AbortController();
    this.at = to;
    this.#down = this.#passDown(to);
  }

  /** Passes nothing on any more. */
  cut(): void {
    this.#isCut = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#down;
    await this.#socket[Symbol.asyncDispose]();
    await this.#up;
  }

  async #passUp(): Promise<void> {
    for await (const { data, from } of this.#socket) {
      this.#client = from;
      if (!this.#isCut) await this.#outer[this.at]!.send(data).catch(() => {});
    }
  }

  async #passDown(at: number): Promise<void> {
    const { signal } = this.#abort;
    for (;;) {
      try {
        const { data } = await this.#outer[at]!.receive({ signal });
        if (this.#client === undefined || this.#isCut) continue;
        await this.#socket.send(data, this.#client);
      } catch {
        if (signal.aborted) return;
      }
    }
  }
}
