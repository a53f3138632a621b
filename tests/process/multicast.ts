// Groups, sources and hops, in a network with two interfaces.
import { assertEquals } from "@std/assert";
import { amongNeighbors } from "./support/neighbors.ts";

const deno = [Deno.execPath(), "run", "--allow-all"];

Deno.test("datagrams to groups leave by the chosen interface, with the chosen hops", async () => {
  const script = "tests/process/support/multicast_ends.ts";
  const result = await amongNeighbors([...deno, script]);
  if (result === undefined) return;
  const groups = ["239.1.2.3", "ff05::1:3"];
  const seen = groups.flatMap((group) =>
    ["dgram", "offload"].flatMap((name) => {
      const isSet = name === "offload" || group === "239.1.2.3";
      return [
        `left-peer ${group} ${isSet ? 5 : 1} ${name}`,
        `right-peer ${group} ${isSet ? 255 : 1} ${name}`,
      ];
    })
  );
  assertEquals(
    [result.stderr, result.stdout.trim().split("\n")],
    ["", [...seen.sort(), "from one source only"]],
  );
});
