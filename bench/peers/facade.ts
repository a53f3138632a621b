// The interface of `node:dgram` over Deno's own UDP.
//
//   facade.ts receive|send|send-to|echo|ping SIZE SECONDS [PORT]
import { createSocket } from "../../lib/dgram.ts";
import { playDgram } from "./dgram_roles.mjs";

await playDgram(createSocket as never);
