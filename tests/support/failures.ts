import { assert, assertEquals } from "@std/assert";
import { DatagramSocket, type OperationFields } from "../../mod.ts";
import { FakeCarrier } from "./fakes.ts";
import { LOCAL, PEER } from "./helpers.ts";

/** A way in which an operation can fail, and the fields of the error. */
export type Failure = [
  what: string,
  fail: () => unknown,
  // deno-lint-ignore no-explicit-any
  Class: new (...args: any[]) => Error,
  fields: OperationFields,
];

export const BOUND = { local: LOCAL };
export const CLIENT = { local: LOCAL, remote: PEER };
export const LARGE = new Uint8Array(65_508);
export const NOW = { timeoutMs: 0 };
export const refused = () => new Deno.errors.NetworkUnreachable("no route");

/** A bound socket over a carrier that fails in some way. */
export function broken(members: object): DatagramSocket {
  return new DatagramSocket(Object.assign(new FakeCarrier({}), members));
}

export function closed<S extends { close(): void }>(socket: S): S {
  socket.close();
  return socket;
}

/** Runs while the socket waits, and then closes it. */
export async function closing<S extends { close(): void }>(
  { socket }: { socket: S },
  wait: (socket: S) => Promise<unknown>,
): Promise<unknown> {
  const waiting = wait(socket);
  socket.close();
  return await waiting;
}

/** Registers a test of each: the error names its operation and its addresses. */
export function testFailures(failures: Failure[]): void {
  for (const [what, fail, Class, fields] of failures) {
    Deno.test(`an error names its operation and addresses: ${what}`, async () => {
      const error = await Promise.try(fail).then(
        () => {
          throw new Error("it did not fail");
        },
        (error) => error as Error & OperationFields,
      );
      assert(error instanceof Class, `${error}`);
      const { operation, local, remote } = error;
      assertEquals({ operation, local, remote }, {
        operation: fields.operation,
        local: fields.local,
        remote: fields.remote,
      });
    });
  }
}
