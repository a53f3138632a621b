import { assert, assertEquals, assertThrows } from "@std/assert";
import { readCredentials } from "../lib/sinks/nats/credentials.ts";

Deno.test("credentials are a token, or a user and a password, and nothing in them is encoded", () => {
  for (
    const [text, wanted] of [
      ["t%41ken@/\n", { token: "t%41ken@/" }],
      ["me:s3cret\r\n", { user: "me", pass: "s3cret" }],
      ["me:a:b ", { user: "me", pass: "a:b" }],
      ["me:", { user: "me", pass: "" }],
    ] as const
  ) assertEquals(readCredentials(text), wanted);
});

Deno.test("credentials of a .creds file are an authenticator", () => {
  const text = "-----BEGIN NATS USER JWT-----\nx\n";
  assert(typeof readCredentials(text).authenticator === "function");
});

for (const text of ["", "\n", ":s3cret", "s3cret\ns3cret"]) {
  Deno.test(`credentials ${JSON.stringify(text)} are rejected, without their content`, () => {
    const { message } = assertThrows(() => readCredentials(text), Error);
    assertEquals(message.includes("s3cret"), false);
  });
}
