import { dgram } from "../mod.ts";
import { bothContracts } from "./support/contracts.ts";

bothContracts("dgram", () => dgram());

bothContracts("dgram over IPv6", () => dgram({ family: 6 }), {
  address: () => "udp://[::1]:0",
  largest: 65_527,
});
