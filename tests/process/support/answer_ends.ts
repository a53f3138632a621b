// Asks a socket on all addresses at each one that an interface has, from another
// one, in a network namespace, and prints how many answers came from there.
import { connect, serve } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";
import { SOON } from "../../support/helpers.ts";

const carrier = offload();
const HOSTS = [
  ...["10.1.0.1", "10.1.0.2", "fd00:1::1", "fd00:1::2"],
  ...["fe80::1:1%left", "fe80::1:2%left"],
];
let answered = 0;
const opened = { "0.0.0.0": false, "[::]": true };
for (const [any, isIpv6] of Object.entries(opened)) {
  await using server = serve(`udp://${any}:0`, ({ data }) => data, { carrier });
  const { port } = server.addr;
  for (const hostname of HOSTS) {
    if (hostname.includes(":") !== isIpv6) continue;
    // It hears only the host that it asks.
    const to = { transport: "udp", hostname, port } as const;
    await using client = await connect(to, { carrier });
    await client.send("question");
    await client.receive(SOON);
    answered++;
  }
}
console.log(`answered ${answered} of ${HOSTS.length}`);
