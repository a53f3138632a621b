import { assertEquals } from "@std/assert";

interface Module {
  specifier: string;
  dependencies?: {
    code?: { specifier: string };
    isDynamic?: boolean;
  }[];
}

/** What a program loads before anybody asks for more. */
async function loaded(script: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", script],
  }).output();
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout));
  const known = new Map<string, Module>(
    modules.map((module: Module) => [module.specifier, module]),
  );
  const seen = new Set<string>(roots);
  for (const specifier of seen) {
    for (
      const { code, isDynamic } of known.get(specifier)?.dependencies ?? []
    ) {
      if (code !== undefined && !isDynamic) seen.add(code.specifier);
    }
  }
  return [...seen];
}

Deno.test("server loads no store, no page and no broker unless it is asked to", async () => {
  const modules = await loaded("server.ts");
  assertEquals(modules.some((module) => module.endsWith("collect.ts")), true);
  assertEquals(
    modules.filter((module) =>
      /sqlite|nats-io|uplot|lib\/sinks\/(?!nats\/url\.ts)/.test(module)
    ),
    [],
  );
});

for (const program of ["server.ts", "client.ts"]) {
  Deno.test(`${program} loads no encryption and no offload unless it is asked to`, async () => {
    const modules = await loaded(program);
    assertEquals(modules.some((module) => module.endsWith("tcp.ts")), true);
    assertEquals(
      modules.filter((module) =>
        /quic|tls|x509|certificate|offload/.test(module)
      ),
      [],
    );
  });
}

Deno.test("client loads nothing of a server's", async () => {
  const modules = await loaded("client.ts");
  assertEquals(modules.filter((module) => /sinks|collect/.test(module)), []);
});
