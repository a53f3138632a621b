import {
  type BaseSocket,
  ConnectedSocket,
  type Data,
  DatagramSocket,
  type WaitOptions,
} from "../../../mod.ts";

import type { End } from "./ledger.ts";

/** Where a party sends to. */
export interface Peer {
  readonly party: End;
  readonly address: Deno.NetAddr;
}

/** A socket of a campaign, and what the program did with it. */
export class Party implements End {
  readonly name: string;
  readonly socket: BaseSocket<Deno.NetAddr>;
  readonly canReceive: boolean;
  readonly peers: Peer[] = [];
  isOpen = true;
  calls = 0;
  received = 0;

  constructor(
    name: string,
    socket: BaseSocket<Deno.NetAddr>,
    canReceive: boolean,
  ) {
    this.name = name;
    this.socket = socket;
    this.canReceive = canReceive;
  }

  send(
    data: Data,
    to: Deno.NetAddr,
    options: WaitOptions | undefined,
  ): Promise<void> {
    const { socket } = this;
    if (socket instanceof ConnectedSocket) return socket.send(data, options);
    return (socket as DatagramSocket).send(data, to, options);
  }

  sendRun(
    data: Data,
    segmentSize: number,
    to: Deno.NetAddr,
    options: WaitOptions | undefined,
  ): Promise<number> {
    const { socket } = this;
    return socket instanceof ConnectedSocket
      ? socket.sendRun(data, segmentSize, options)
      : (socket as DatagramSocket).sendRun(data, segmentSize, to, options);
  }

  /** Sends messages as the kind of socket takes them: one object for all of them. */
  sendMany(
    messages: Iterable<Message> | AsyncIterable<Message>,
    options: WaitOptions | undefined,
  ): Promise<number> {
    const { socket } = this;
    if (socket instanceof DatagramSocket) {
      return socket.sendMany(messages, options);
    }
    const connected = socket as ConnectedSocket;
    if (Symbol.asyncIterator in messages) {
      return connected.sendMany(dataLater(messages), options);
    }
    return connected.sendMany(dataOf(messages), options);
  }
}

/** A message and its peer. */
export interface Message {
  data: Data;
  to: Deno.NetAddr;
}

function* dataOf(messages: Iterable<Message>): Iterable<Data> {
  for (const message of messages) yield message.data;
}

async function* dataLater(
  messages: AsyncIterable<Message>,
): AsyncIterable<Data> {
  for await (const message of messages) yield message.data;
}
