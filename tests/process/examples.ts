import { assertEquals, assertMatch } from "@std/assert";
import { Program, run } from "./support/programs.ts";

const MESSAGE = "Bonjour je vous envoi un message !";

for (const server of ["tutorial_server", "server"]) {
  for (const client of ["tutorial_client", "client"]) {
    Deno.test(`examples/${client}.ts reaches examples/${server}.ts`, async () => {
      const argument = (name: string, port: string) =>
        name.startsWith("tutorial") ? port : `udp://127.0.0.1:${port}`;
      await using listening = new Program(
        `examples/${server}.ts`,
        [argument(server, "0")],
        { flags: ["--allow-net=127.0.0.1"] },
      );
      const [, port = ""] = await listening.said(/^listening on (\d+)$/);
      const sent = await run(
        `examples/${client}.ts`,
        [argument(client, port)],
        { flags: ["--allow-net=127.0.0.1"] },
      );
      assertEquals([sent.code, sent.stderr], [0, ""]);
      const { code, stdout } = await listening.ended();
      assertEquals([code, stdout.trim()], [0, MESSAGE]);
    });
  }
}

Deno.test("examples/echo.ts gets each request its own reply", async () => {
  const { code, stdout } = await run("examples/echo.ts", [], {
    flags: ["--allow-net=127.0.0.1"],
  });
  assertEquals([code, stdout], [
    0,
    "echo: ping 1\necho: ping 2\necho: ping 3\n",
  ]);
});

Deno.test("examples/offload.ts sends and receives a thousand messages", async () => {
  const { code, stdout, stderr } = await run("examples/offload.ts", [], {
    flags: ["--allow-net=127.0.0.1", "--allow-ffi"],
  });
  assertEquals([code, stdout, stderr], [0, "1000 1000\n", ""]);
});

Deno.test("examples/metadata.ts answers from the address that it was asked at", async () => {
  const net = "--allow-net=0.0.0.0,127.0.0.1,127.0.0.2";
  const { code, stdout, stderr } = await run("examples/metadata.ts", [], {
    flags: [net, "--allow-ffi"],
  });
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /hostname: "127\.0\.0\.2"[^]* 0 \d{4}-.*Z\nreçu\n$/);
});

for (const size of [0, 1, 1000, 1001, 300_000]) {
  Deno.test(`examples/file_transfer.ts brings ${size} bytes over a path with loss`, async () => {
    const path = await Deno.makeTempFile();
    try {
      const random = Uint8Array.from({ length: size }, (_, i) => i * i >> 7);
      await Deno.writeFile(path, random);
      const flags = ["--allow-net=127.0.0.1", `--allow-read=${path}`];
      const { code, stdout, stderr } = await run(
        "examples/file_transfer.ts",
        [path],
        { flags },
      );
      assertEquals([code, stderr], [0, ""]);
      const [bytes, isWhole, lost] = stdout.trim().split(" ");
      assertEquals([bytes, isWhole], [`${size}`, "true"]);
      assertEquals(size < 100_000 || Number(lost) > 0, true);
    } finally {
      await Deno.remove(path);
    }
  });
}

Deno.test("demo prints its messages and exits 0", async () => {
  const { code, stdout, stderr } = await run("lib/programs/demo.ts", [], {
    flags: ["--allow-net=127.0.0.1"],
  });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout.match(/ {2}udp:\/\/127\.0\.0\.1:\d+ {2}/g)?.length, 6);
  assertEquals(/[^\n\x20-\x7e\u00e0-\u00ff]/.test(stdout), false);
});
