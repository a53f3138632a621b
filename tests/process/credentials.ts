/** Credentials for a broker: where they come from, and that they are never printed. */
import { assert, assertEquals } from "@std/assert";
import { nkeys } from "@nats-io/transport-node";
import { inFolder, printedBy, typed } from "./support/commands.ts";
import { greeted, NONCE } from "./support/greetings.ts";
import { run } from "./support/programs.ts";

Deno.test("server reads the credentials for NATS from a file: USER:PASSWORD, a token or .creds", () =>
  inFolder(async (folder) => {
    const user = nkeys.createUser();
    const seed = new TextDecoder().decode(user.getSeed());
    const creds = `-----BEGIN NATS USER JWT-----
a.jwt.here
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------
`;
    for (
      const [content, shows] of [
        ["me:s3:cret@%41\n", { user: "me", pass: "s3:cret@%41" }],
        ["to/ken%41\n", { auth_token: "to/ken%41" }],
        [creds, { jwt: "a.jwt.here" }],
      ] as const
    ) {
      await Deno.writeTextFile(`${folder}/secret`, content);
      using broker = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const url = `nats://127.0.0.1:${broker.addr.port}/pli.messages`;
      const args = ["127.0.0.1:0", "--publish", url, "--credentials-file"];
      const all = [...args, "secret", "--end-timeout", "1ms"];
      const command = await printedBy("server.ts", all, folder);
      await using program = typed(command, folder);
      const hello = await greeted(broker) || await greeted(broker);
      const shown = JSON.parse(hello.match(/^CONNECT (.*)\r$/m)![1]!);
      assertEquals({ ...shown, ...shows }, shown);
      if (content === creds) {
        const signature = Uint8Array.fromBase64(shown.sig);
        assert(user.verify(new TextEncoder().encode(NONCE), signature));
      }
      program.kill("SIGTERM");
      const { stdout, stderr } = await program.ended();
      assertEquals(/cret|ken|jwt/.test(stdout + stderr), false, stderr);
    }
  }));

Deno.test("server never prints credentials, whatever is wrong with its command line", async () => {
  const url = "nats://me:s3cret@127.0.0.1:4222/a.b";
  for (
    const args of [
      [url],
      ["--page", url],
      [`--publsh=${url}`],
      ["--publish", url, "--publish", url],
      ["--publish", url, "--credentials-file", "x"],
      ["--publish", `${url}.*`],
      ["--publish", "nats://me:s3 cret@"],
      ["--publish", "me:s3cret@127.0.0.1:4222"],
      ["--count", url],
      ["--allow", "me:s3cret@10.0.0.0/8"],
      ["127.0.0.1:0", url],
    ]
  ) {
    const { code, stdout, stderr } = await run("server.ts", args);
    assertEquals([code, stdout], [1, ""], stderr);
    assertEquals(/me:|cret/.test(stderr), false, stderr);
  }
});
