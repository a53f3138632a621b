import { setImmediate } from "../../platform.ts";
import { printLine } from "../../warnings.ts";
import { Network } from "../network.ts";
import type { NetworkOptions, RunOptions } from "../network_options.ts";
import type { SimulatedNetwork } from "../network_types.ts";
import { perform } from "../run.ts";
import { install } from "../virtual/install.ts";
import { type Failure, failureOf, isA } from "./failure.ts";
import { takeUncaught } from "./uncaught.ts";

/** A program that is run again and again, each time on a new network. */
export type Program = (network: SimulatedNetwork) => unknown;

/** One run of a program. */
export interface Attempt {
  readonly options: NetworkOptions;
  readonly network: Network;
  /** `undefined` if it has not failed. */
  readonly failure: Failure | undefined;
}

/** That a search was ended from outside. */
export class Stopped extends Error {}

/**
 * Runs a program once. Whatever it does, the platform is as before afterwards,
 * and nothing of the run goes on.
 *
 * @param stop Aborts if the run is to end.
 * @throws {Stopped} It was ended.
 * @throws {Error} The run cannot be made: an option is wrong, or another run is
 * in progress.
 */
export async function attempt(
  program: Program,
  options: NetworkOptions,
  run: RunOptions,
  stop: AbortSignal,
): Promise<Attempt> {
  if (stop.aborted) throw new Stopped();
  const network = new Network(options);
  const setting = network.setting(run);
  const uninstall = install(setting.world);
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});
  const onStop = () => ended.reject(new Stopped());
  stop.addEventListener("abort", onStop);
  network.clock.takeErrors(ended.reject);
  const stopTaking = takeUncaught(ended.reject);
  try {
    const { left } = await perform(
      () => program(network),
      setting,
      ended.promise,
    );
    await Promise.race([turn(), ended.promise]);
    if (left !== "") printLine(`${left} (seed ${network.seed})`);
    return { options, network, failure: undefined };
  } catch (error) {
    if (isA(Stopped, error)) throw error;
    network.end();
    await turn();
    return { options, network, failure: failureOf(error) };
  } finally {
    network.end();
    uninstall();
    stopTaking();
    stop.removeEventListener("abort", onStop);
  }
}

/** After a turn of the event loop it is known which rejections are unhandled. */
function turn(): Promise<void> {
  return new Promise((go) => void setImmediate(go));
}
