import { assertEquals } from "@std/assert";
import { serve } from "../../mod.ts";
import { quic, type QuicOptions } from "../../lib/carriers/quic.ts";
import { cert, key, until } from "../support/quics.ts";

/** Runs quiche's client against a server that echoes. */
async function quiche(
  options: QuicOptions,
  ca: string,
  messages: string[],
): Promise<{ lines: string[]; source: ReturnType<typeof quic> }> {
  const source = quic({ cert, key, ...options });
  await using server = serve("quic://127.0.0.1:0", ({ data }) => data, {
    carrier: source,
  });
  const path = await Deno.makeTempFile({ suffix: ".pem" });
  try {
    await Deno.writeTextFile(path, ca);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--quiet", "--no-prompt", "-A"],
        ...["tests/interop/peers/quiche.ts", `${server.addr.port}`, path],
        ...messages,
      ],
    }).output();
    const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
    await until(() => source.stats.peers === 0);
    return { lines, source };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("quiche exchanges hellos, datagrams and goodbyes", async () => {
  const messages = ["Bonjour", "é".repeat(500), "x"];
  const { lines, source } = await quiche({}, cert, messages);
  assertEquals(lines, [
    "hello 0,0,0,255,247",
    ...messages,
    "answer 4,0,0,0,0,0,0,0,0",
  ]);
  const { sent, received, admitted } = source.stats;
  assertEquals([sent.datagrams, received.datagrams, admitted], [3, 3, 1]);
});

Deno.test("quiche without the token is rejected as the protocol defines", async () => {
  const { lines, source } = await quiche({ token: "secret" }, cert, ["x"]);
  assertEquals(lines, ["closed: app true, code 1"]);
  assertEquals(source.stats.refused.token, 1);
});
