// Types of the parts of the standard library that this project uses, which comes
// from npm as JavaScript without types (see deno.json). They accept no more than
// the original ones, so that the source type-checks against those too.

declare module "@std/assert" {
  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    msg?: string,
  ): asserts actual is T;
  export type ErrorClass<E extends Error> = abstract new (
    ...args: never[]
  ) => E;
  export function assertInstanceOf<E extends Error>(
    actual: unknown,
    expectedType: ErrorClass<E>,
    msg?: string,
  ): asserts actual is E;
  export function assertMatch(
    actual: string,
    expected: RegExp,
    msg?: string,
  ): void;
  export function assertStringIncludes(
    actual: string,
    expected: string,
    msg?: string,
  ): void;
  export function assertThrows<E extends Error>(
    fn: () => unknown,
    ErrorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
  export function assertRejects<E extends Error>(
    fn: () => PromiseLike<unknown>,
    ErrorClass: ErrorClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
}

declare module "@std/cli/parse-args" {
  export interface ParseOptions {
    boolean?: readonly string[];
    string?: readonly string[];
    collect?: readonly string[];
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }
  export interface Args {
    // As in the original, whose other types follow from the options.
    // deno-lint-ignore no-explicit-any
    [key: string]: any;
    _: (string | number)[];
  }
  export function parseArgs(
    args: readonly string[],
    options?: ParseOptions,
  ): Args;
}

declare module "@std/fmt/colors" {
  export function setColorEnabled(value: boolean): void;
  export function bold(str: string): string;
  export function cyan(str: string): string;
  export function dim(str: string): string;
  export function yellow(str: string): string;
}
