// `node:dgram`, on Node, Deno and Bun.
//
//   dgram.mjs receive|send|send-to|echo|ping SIZE SECONDS [PORT]
import dgram from "node:dgram";
import { playDgram } from "./dgram_roles.mjs";

await playDgram(dgram.createSocket);
