import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { bind, connect, DatagramSocket } from "../mod.ts";
import { FakeCarrier, sourceOf } from "./support/fakes.ts";
import { LOCAL, LOOPBACK, PEER } from "./support/helpers.ts";

Deno.test("nothing is opened if an option is wrong", async () => {
  const carrier = {
    ...sourceOf(new FakeCarrier({})),
    listen: () => {
      throw new Error("opened");
    },
    dial: () => Promise.reject(new Error("opened")),
  };
  for (const options of [{ maxSize: -1 }, { rateLimit: 0 }, { allow: ["x"] }]) {
    const outcome = Promise.try(() => bind(LOOPBACK, { ...options, carrier }));
    assert(!/opened/.test((await outcome.catch((error) => error)).message));
  }
  const outcome = connect(PEER, { maxSize: -1, carrier });
  assertInstanceOf(await outcome.catch((error) => error), RangeError);
});

Deno.test("options that need IP addresses are rejected for other carriers too", () => {
  const addr = { transport: "unixpacket", path: "/run/a.sock" } as const;
  const carrier = Object.assign(new FakeCarrier({}), { addr });
  const error = thrown(() => new DatagramSocket(carrier, { allow: [] }));
  assertInstanceOf(error, TypeError);
  assertEquals(
    error.message,
    "Cannot bind unix:/run/a.sock: allow needs IP addresses",
  );
});

for (
  const [what, options, maxReceive, size, length] of [
    ["65,527 bytes by default", {}, undefined, 65_528, 65_527],
    ["what the carrier can deliver", {}, 70_000, 70_000, 70_000],
    ["what the carrier can deliver, if that is less", {}, 10, 11, 10],
    ["the option, whatever the carrier", { maxSize: 5 }, 70_000, 100, 5],
  ] as const
) {
  Deno.test(`a socket's maxSize is ${what}`, async () => {
    const carrier = Object.assign(
      new FakeCarrier({ addr: LOCAL }),
      maxReceive === undefined ? {} : { maxReceive },
    );
    await using socket = new DatagramSocket(carrier, options);
    carrier.deliver(new Uint8Array(size));
    const { data, truncated } = await socket.receive();
    assertEquals([data.length, truncated], [length, size > length]);
  });
}

function thrown(call: () => unknown): unknown {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
}
