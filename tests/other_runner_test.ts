import { test } from "node:test";
import { carrierContract, simulateNetwork } from "@pli/datagram/testing";

let network = simulateNetwork();
carrierContract("a network, by another runner", () => network, {
  test,
  around: (check) => {
    network = simulateNetwork();
    return network.run(check);
  },
});
