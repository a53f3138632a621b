import { carrierContract, simulateNetwork } from "@pli/datagram/testing";

let network = simulateNetwork();
carrierContract("a rough network", () => network, {
  ordered: false,
  lossless: false,
  around: (test) => {
    network = simulateNetwork({ loss: 0.2, reorder: 0.2 });
    return network.run(test);
  },
});
