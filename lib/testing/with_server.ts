import type { CarrierSource } from "../carrier.ts";
import type { ConnectedSocket } from "../socket/connected_socket.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { requireFunction, requireOptions } from "../check.ts";
import { bind, connect } from "../open.ts";
import { type DatagramHandler, type DatagramServer, serve } from "../serve.ts";

/** What {@linkcode withServer} and {@linkcode withSockets} run a test over. */
export interface TestOptions {
  /** What carries the datagrams. @default {Deno's own UDP} */
  carrier?: CarrierSource | undefined;
  /**
   * The address to bind.
   * @default {"udp://127.0.0.1:0", a free port on loopback}
   */
  address?: string | undefined;
}

const ADDRESS = "udp://127.0.0.1:0";
const ACTION = "run a test";

/**
 * Runs a test with a server and a client that is connected to it, and closes
 * both, however the test ends. An error of the handler fails the test.
 *
 * @throws What the test throws; if it throws nothing, the handler's first error.
 * @throws {TypeError} The test is no function, or the options are no object.
 *
 * @example
 * ```ts
 * import { withServer } from "@pli/datagram/testing";
 * import { assertEquals } from "@std/assert";
 *
 * Deno.test("the server says hello", () =>
 *   withServer((datagram) => `hello ${datagram.text()}`, async (client) => {
 *     assertEquals((await client.request("you")).text(), "hello you");
 *   }));
 * ```
 */
export async function withServer(
  handler: DatagramHandler,
  test: (client: ConnectedSocket, server: DatagramServer) => Promise<void>,
  options: TestOptions = {},
): Promise<void> {
  const { carrier, address = ADDRESS } = checked(test, options);
  const errors: unknown[] = [];
  {
    await using server = serve(address, handler, {
      carrier,
      onError: (error) => errors.push(error),
    });
    await using client = await connect(server.addr, { carrier });
    await test(client, server);
  }
  if (errors.length > 0) throw errors[0];
}

/**
 * Runs a test with a bound socket and one that is connected to it, and closes
 * both, however the test ends.
 *
 * @throws What the test throws.
 * @throws {TypeError} The test is no function, or the options are no object.
 */
export async function withSockets(
  test: (socket: DatagramSocket, client: ConnectedSocket) => Promise<void>,
  options: TestOptions = {},
): Promise<void> {
  const { carrier, address = ADDRESS } = checked(test, options);
  await using socket = bind(address, { carrier });
  await socket.opened;
  await using client = await connect(socket.addr, { carrier });
  await test(socket, client);
}

function checked(test: unknown, options: TestOptions): TestOptions {
  requireFunction(ACTION, "test", test);
  requireOptions(ACTION, options);
  return options;
}
