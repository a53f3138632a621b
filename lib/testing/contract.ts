import type { CarrierSource } from "../carrier.ts";
import { wrongType } from "../check.ts";
import { busy } from "./contract/busy.ts";
import { closing } from "./contract/closing.ts";
import { deaf } from "./contract/deaf.ts";
import { delivery } from "./contract/delivery.ts";
import { destinations } from "./contract/destinations.ts";
import type { Abilities, Check } from "./contract/ends.ts";
import { limits } from "./contract/limits.ts";
import { peers } from "./contract/peers.ts";
import { reentrancy } from "./contract/reentrancy.ts";
import { requests } from "./contract/requests.ts";
import { runs } from "./contract/runs.ts";
import { schemes } from "./contract/schemes.ts";
import { storms } from "./contract/storms.ts";
import { turns } from "./contract/turns.ts";
import { values } from "./contract/values.ts";
import { withEnds } from "./contract/with_ends.ts";

const SUBJECTS = [
  delivery,
  runs,
  limits,
  closing,
  peers,
  schemes,
  values,
  destinations,
  reentrancy,
  requests,
  turns,
  deaf,
  busy,
  storms,
];

/** What a carrier can do, if it is not everything, and how its tests are run. */
export interface ContractOptions {
  /**
   * Returns the address to bind, with a free port. It is called for each test.
   * @default {() => "udp://127.0.0.1:0"}
   */
  address?: (() => string) | undefined;
  /** Whether a bound socket can answer its peers. @default {true} */
  answers?: boolean | undefined;
  /** Whether datagrams arrive in the order in which they were sent. @default {true} */
  ordered?: boolean | undefined;
  /**
   * Whether every datagram arrives if the receiver reads and nothing disturbs the
   * path.
   * @default {true}
   */
  lossless?: boolean | undefined;
  /** The size of the largest datagram, in bytes. @default {65507} */
  largest?: number | undefined;
  /**
   * The byte that no datagram may hold, such as `0x0a` if it ends each: a datagram
   * that holds it is rejected, and all other bytes pass.
   * @default {none}
   */
  reserved?: number | undefined;
  /**
   * How a send ends if no socket is bound to its destination. `"either"` is for
   * carriers whose system may or may not know yet.
   * @default {"resolves"}
   */
  sendToUnbound?: "resolves" | "rejects" | "either" | undefined;
  /**
   * Runs one test: prepares what it needs, and cleans up.
   * @default {(test) => test()}
   */
  around?: ((test: () => Promise<void>) => Promise<void>) | undefined;
  /**
   * Registers one test: `test` of `node:test`, of Vitest, or any function of that
   * form.
   * @default {Deno.test, or the global `test` that Vitest and Jest can provide}
   */
  test?: ((name: string, run: () => Promise<void>) => unknown) | undefined;
}

/**
 * Registers the tests that every carrier must pass to be used with `bind` and
 * `connect`. A carrier that lacks an ability declares it, and the tests then
 * check what was declared.
 *
 * @param name The beginning of the tests' names.
 * @param source Makes the source. It is called for each test.
 * @throws {TypeError} There is neither `Deno.test` nor a global `test`, and no
 * `test` is given.
 *
 * @example
 * ```ts ignore
 * import { carrierContract } from "@pli/datagram/testing";
 *
 * carrierContract("my carrier", () => myCarrier(), { ordered: false });
 * ```
 */
export function carrierContract(
  name: string,
  source: () => CarrierSource,
  options: ContractOptions = {},
): void {
  const {
    address = () => "udp://127.0.0.1:0",
    answers = true,
    ordered = true,
    lossless = true,
    largest = 65_507,
    reserved,
    sendToUnbound = "resolves",
    around = (test) => test(),
    test = globalThis.Deno?.test ??
      (globalThis as Pick<ContractOptions, "test">).test,
  } = options;
  if (typeof test !== "function") {
    const wanted = "a function that registers a test, as that of node:test";
    throw wrongType("register tests", "test", wanted, test);
  }
  const abilities: Abilities = {
    answers,
    ordered,
    lossless,
    largest,
    reserved,
    sendToUnbound,
  };
  const check: Check = (promise, run, needs = {}) => {
    test(`${name}: ${promise}`, () =>
      around(() =>
        withEnds({ carrier: source(), address, lossless, needs }, run)
      ));
  };
  for (const subject of SUBJECTS) subject(check, abilities);
}
