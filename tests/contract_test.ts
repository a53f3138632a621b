import { assertThrows } from "@std/assert";
import { udp } from "../lib/carriers/udp.ts";
import { carrierContract, simulateNetwork } from "../lib/testing/mod.ts";
import { bothContracts } from "./support/contracts.ts";

let network = simulateNetwork();
bothContracts("simulated network", () => network, {
  around: (test) => {
    network = simulateNetwork();
    return network.run(test);
  },
});

let rough = simulateNetwork();
bothContracts("simulated network that fails", () => rough, {
  ordered: false,
  lossless: false,
  around: (test) => {
    rough = simulateNetwork({
      loss: 0.3,
      reorder: 0.3,
      delayMs: { min: 1, max: 20 },
    });
    return rough.run(test);
  },
});

Deno.test("a contract that can register no tests is rejected", () => {
  assertThrows(
    () => carrierContract("x", () => udp(), { test: {} as () => void }),
    TypeError,
    "Cannot register tests: test must be a function",
  );
});
