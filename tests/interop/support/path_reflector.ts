/** A reflector in a process of its own. Prints its port; ends with its input. */
import { reflect } from "../../../lib/measure.ts";

await using reflector = reflect("udp://127.0.0.1:0", {
  allow: ["127.0.0.0/8"],
});
console.log(reflector.addr.port);
for await (const _ of Deno.stdin.readable);
