/** STAMP reflectors of other makes, over a socket. */
import { bind } from "../../mod.ts";
import type { CarrierSource, NetAddr } from "../../mod.ts";
import { decodeQuestion, encodeAnswer } from "../../lib/measure/stamp.ts";

/** A reflector that runs. */
export interface TestReflector extends AsyncDisposable {
  readonly addr: NetAddr;
}

/** What a reflector does with a question. */
export type Reflect = (question: Uint8Array, nowMs: number) => Uint8Array[];

/** Starts a reflector that answers each question with some datagrams. */
export function startReflector(
  address: string,
  carrier: CarrierSource | undefined,
  reflect: Reflect,
): TestReflector {
  const socket = bind(address, { carrier, answerLimit: Infinity });
  const running = (async () => {
    for await (const { data, from } of socket) {
      for (const answer of reflect(data, socket.clock.now())) {
        await socket.send(answer, from);
      }
    }
  })();
  return {
    addr: socket.addr,
    async [Symbol.asyncDispose]() {
      await socket[Symbol.asyncDispose]();
      await running;
    },
  };
}

/** Has a number of its own, from 0, and knows no extensions. */
export function stateful(): Reflect {
  let number = 0;
  return (question, receivedMs) => [
    encodeAnswer(question, { number: number++, receivedMs }),
  ];
}

/** Copies the number of each question. */
export function stateless(): Reflect {
  return (question, receivedMs) => {
    const number = decodeQuestion(question)!.number;
    return [encodeAnswer(question, { number, receivedMs })];
  };
}
