import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  bind,
  type Carrier,
  type CarrierSource,
  connect,
  traced,
} from "../../mod.ts";
import {
  carrierContract,
  type ContractOptions,
} from "../../lib/testing/mod.ts";

type Optional<T> = {
  [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? K : never;
}[keyof T];

const OPTIONAL = [
  "joinMulticastV4",
  "joinMulticastV6",
  "joinSource",
  "remote",
  "opened",
  "closed",
  "maxSize",
  "maxReceive",
  "receiveBatch",
  "leaveBatch",
  "leavesMemory",
  "sendBatch",
  "sendFrom",
  "sendRun",
  "lookUp",
  "drops",
  "connections",
  "kernelDrops",
  "end",
  "clock",
  "random",
  "control",
  "ref",
  "unref",
] as const;
// Does not compile while the list lacks an optional member of a carrier.
const _complete: Exclude<Optional<Carrier>, typeof OPTIONAL[number]> extends
  never ? true : never = true;

/** The contract of a carrier, and that of the same carrier with a trace. */
export function bothContracts(
  name: string,
  source: () => CarrierSource,
  options: ContractOptions = {},
): void {
  carrierContract(name, source, options);
  tracedContract(name, source, options);
}

/** The contract of a carrier with a trace, and that it has the same members. */
export function tracedContract(
  name: string,
  source: () => CarrierSource,
  options: ContractOptions = {},
): void {
  const {
    around = (test) => test(),
    address = () => "udp://127.0.0.1:0",
  } = options;
  carrierContract(
    `traced ${name}`,
    () => traced(source(), (line) => void lines.push(line)),
    {
      ...options,
      async around(test) {
        lines = [];
        await around(test);
        assert(lines.length > 0);
        for (const line of lines) assertMatch(line, /^[^\p{Cc}]{1,500}$/u);
      },
    },
  );
  let lines: string[] = [];

  Deno.test(`traced ${name}: it has the members of the carrier, and no others`, () =>
    around(async () => {
      const inner = remembered(source());
      const outer = remembered(traced(inner, () => {}));
      assertEquals(outer.schemes, inner.schemes);
      await using socket = bind(address(), { carrier: outer });
      await socket.opened;
      await using _ = await connect(socket.addr, { carrier: outer });
      assertEquals([inner.opened.length, outer.opened.length], [2, 2]);
      for (const [n, carrier] of outer.opened.entries()) {
        for (const member of ["addr", ...OPTIONAL]) {
          const [own, original] = [carrier, inner.opened[n]!].map((carrier) =>
            Reflect.get(carrier, member, carrier)
          );
          assertEquals(typeof own, typeof original, member);
          // An address may be a copy at each reading; everything else is one.
          if (member === "addr" || member === "remote") {
            assertEquals(own, original, member);
          } else if (typeof own !== "function") {
            assert(own === original, member);
          }
        }
      }
    }));
}

/** A source that remembers the carriers that it opened. */
function remembered(source: CarrierSource) {
  const opened: Carrier[] = [];
  const keep = (carrier: Carrier) => {
    opened.push(carrier);
    return carrier;
  };
  return {
    opened,
    ...(source.schemes && { schemes: source.schemes }),
    listen: (address: Parameters<CarrierSource["listen"]>[0]) =>
      keep(source.listen(address)),
    dial: async (...dialing: Parameters<NonNullable<CarrierSource["dial"]>>) =>
      keep(await source.dial!(...dialing)),
  };
}
