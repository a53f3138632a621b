// A server that answers, and requests that are sent again until there is a reply.
//
//   deno run --allow-net=127.0.0.1 examples/echo.ts

import { connect, serve } from "@pli/datagram";

await using server = serve(
  "udp://127.0.0.1:0",
  (datagram) => `echo: ${datagram.text()}`,
  { onError: (error) => console.error(error) },
);

await using client = await connect(server.addr);
for (const id of [1, 2, 3]) {
  const reply = await client.request(`ping ${id}`, {
    timeoutMs: 200,
    retries: 3,
    // A late reply to an earlier request has a different number.
    match: (datagram) => datagram.text().endsWith(` ${id}`),
  });
  console.log(reply.text());
}
