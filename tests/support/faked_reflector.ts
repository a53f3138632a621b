import { reflect, type ReflectOptions } from "../../lib/measure.ts";
import {
  decodeAnswer,
  encodeQuestion,
  type QuestionOptions,
} from "../../lib/measure/stamp.ts";
import { FakeCarrier, FakeClock, sourceOf } from "./fakes.ts";
import { net, until } from "./helpers.ts";

/** A reflector over a fake carrier, whose time passes only by `clock.advance`. */
export function faked(options: ReflectOptions = {}) {
  const clock = new FakeClock();
  const carrier = new FakeCarrier({ addr: net("127.0.0.1", 62_862), clock });
  const errors: unknown[] = [];
  const reflector = reflect("udp://127.0.0.1:62862", {
    carrier: sourceOf(carrier),
    onError: (error) => void errors.push(error),
    ...options,
  });
  const ask = (question: QuestionOptions, port = 40_000) =>
    carrier.deliver(encodeQuestion(question), net("127.0.0.1", port));
  const handled = (received: number) =>
    until(() => {
      const { stats } = reflector;
      return stats.received === received && stats.answering === 0;
    });
  const answers = () => carrier.sent.map(({ data }) => decodeAnswer(data)!);
  return { clock, carrier, errors, reflector, ask, handled, answers };
}
