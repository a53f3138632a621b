import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { InvalidAddressError, type OperationFields } from "../../mod.ts";

// deno-lint-ignore no-explicit-any
export type ErrorClass = new (...args: any[]) => Error;

/** A call with a wrong value, as a program in plain JavaScript may make it. */
export interface WrongValue {
  /** The call, as it is shown in the test's name. */
  name: string;
  call: () => unknown;
  /** The class of the error. */
  Class: ErrorClass;
  /** The end of its message. */
  says: string;
  operation: string;
}

export const wrongValue = (
  name: string,
  call: () => unknown,
  Class: ErrorClass,
  says: string,
  operation: string,
): WrongValue => ({ name, call, Class, says, operation });

/** Registers a test of each: the call fails at once, with one clear line. */
export function testWrongValues(cases: WrongValue[]): void {
  for (const { name, call, Class, says, operation } of cases) {
    Deno.test(`a wrong value is one clear line: ${name}`, async () => {
      const error = await Promise.try(call).then(
        (opened) => {
          (opened as Partial<Disposable> | undefined)?.[Symbol.dispose]?.();
          throw new Error("the value was accepted");
        },
        (error) => error as Error & OperationFields,
      );
      assertInstanceOf(error, Class);
      assert(error.message.endsWith(`: ${says}`), error.message);
      assert(!error.message.includes("\n"));
      assertEquals(error.operation, operation);
      if (Class !== InvalidAddressError) {
        assert(error.message.startsWith(`Cannot ${operation}`), error.message);
      }
    });
  }
}

/** Writes a value for the name of a test. */
export function shown(value: unknown): string {
  return typeof value === "object" && value !== null && "signal" in value
    ? `{ signal: ${value.signal?.constructor.name} }`
    : Deno.inspect(value);
}
