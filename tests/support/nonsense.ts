import { assert } from "@std/assert";

// deno-lint-ignore no-explicit-any
type Any = any;

/** What a trap of a program's proxy throws: it is passed on unchanged. */
export class Trapped extends Error {}

function trap(): never {
  throw new Trapped("trap");
}

/** Values that programs in plain JavaScript pass by mistake, and worse ones. */
export const NONSENSE: [what: string, value: unknown][] = [
  ["undefined", undefined],
  ["null", null],
  ["true", true],
  ["5", 5],
  ["NaN", NaN],
  ["-1", -1],
  ["1e308", 1e308],
  ["5n", 5n],
  ["text", "x"],
  ["empty text", ""],
  ["a symbol", Symbol("s")],
  ["{}", {}],
  ["[]", []],
  ["[null]", [null]],
  ["a function", () => {}],
  ["a class", class {}],
  ["an object without a prototype", Object.create(null)],
  ["a promise", Promise.resolve(1)],
  ["a date", new Date(0)],
  ["a URL", new URL("udp://127.0.0.1:9")],
  ["a DataView", new DataView(new ArrayBuffer(2))],
  ["what inherits from bytes", Object.create(Uint8Array.prototype)],
  ["what inherits from a signal", Object.create(AbortSignal.prototype)],
  ["a proxy of bytes", new Proxy(new Uint8Array(3), {})],
  ["a proxy of a signal", new Proxy(new AbortController().signal, {})],
  ["a proxy that throws", throwingProxy()],
  ["a revoked proxy", revokedProxy()],
];

function throwingProxy(): unknown {
  return new Proxy({}, {
    get: trap,
    has: trap,
    getPrototypeOf: trap,
    ownKeys: trap,
  });
}

function revokedProxy(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

// How JavaScript itself describes a wrong value, by the code that met it.
const INTERNAL =
  /Cannot (read prop|set prop|destructure|convert|mix|use 'in')|is not a function|is not iterable|Illegal invocation|Failed to execute|Invalid typed array|this\[|this\./;

/**
 * Registers a test per call: given each of these values, it either works or fails
 * with one line that is not about the library's own code.
 */
export function testNonsense(
  calls: Record<string, (value: Any) => unknown>,
): void {
  for (const [name, call] of Object.entries(calls)) {
    Deno.test(`nonsense is one clear line: ${name}`, async () => {
      for (const [what, value] of NONSENSE) {
        try {
          await call(value);
        } catch (error) {
          if (error instanceof Trapped) continue;
          const { message } = error as Error;
          const isRevoked = message.includes("proxy that has been revoked");
          assert(isRevoked || !INTERNAL.test(message), `${what}: ${message}`);
          assert(!/\p{Cc}/u.test(message), `${what}: ${message}`);
        }
      }
    });
  }
}
