/** Tests for each language's own sockets, with the scripts in peers/. */
import { assertEquals } from "@std/assert";
import {
  assertSameBytes,
  clientReceives,
  clientSends,
  type Message,
  serverEchoes,
  serverReceives,
} from "./exchanges.ts";
import { Peer, runPeer, type Test } from "./peers.ts";

/** A language, and the names of its calls in the tests. */
export interface Language {
  command: string;
  extension: string;
  send: string;
  receive: string;
  answer: string;
}

export function testSockets(
  test: Test,
  { command, extension, send, receive, answer }: Language,
  messages: Message[],
): void {
  const script = (name: string) =>
    `${import.meta.dirname}/../peers/${name}.${extension}`;
  const startPeer = async (...options: string[]) => {
    const peer = new Peer(command, [script("server"), ...options]);
    const [, address = ""] = await peer.said(/^listening on (\S+)\n/);
    return Object.assign(peer, { address });
  };

  for (const message of messages) {
    const { name, bytes } = message;

    test(`${send} reaches the server: ${name}`, () =>
      serverReceives(
        message,
        (port) => runPeer(command, [script("client"), port], bytes),
      ));

    test(`${receive} gets what the client sends: ${name}`, async () => {
      await using peer = await startPeer();
      await clientSends(message, peer.address);
      const ended = await peer.ended();
      assertEquals(ended.code, 0, ended.stderr);
      assertSameBytes(ended.bytes, bytes);
    });

    test(`${receive} gets the server's echo: ${name}`, () =>
      serverEchoes(
        message,
        (port) => runPeer(command, [script("client"), port, "--wait"], bytes),
      ));

    test(`${answer} reaches the client that waits: ${name}`, async () => {
      await using peer = await startPeer("--echo");
      await clientReceives(message, message, peer.address);
    });
  }
}
