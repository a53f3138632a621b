/**
 * The program `deno task reflect`: answers the questions that measure the path to
 * here.
 *
 * @module
 */
import { formatAddress } from "../address/address.ts";
import { traced } from "../carriers/traced.ts";
import {
  MAX_QUESTION,
  reflect as startReflector,
} from "../measure/reflector.ts";
import type { Reflector } from "../measure.ts";
import { reasonOf, Warnings } from "../warnings.ts";
import { serverCarrier } from "./carriers.ts";
import { every } from "./every.ts";
import { parseOptions } from "./options.ts";
import { requirePermissions } from "./permissions.ts";
import { EXIT, isAnswered, onInterrupt, runProgram, say } from "./program.ts";
import { showProgress } from "./progress.ts";
import {
  REFLECT_HELP,
  REFLECT_OPTIONS,
  reflectNeeds,
  type ReflectSettings,
  reflectSettings,
} from "./reflect_options.ts";
import {
  describeReflecting,
  describeReflector,
  describeRefusals,
} from "./reflect_totals.ts";
import { areSystemDropsCounted, describeSystemDrops } from "./system_drops.ts";

// How soon the user sees that questions are refused, without a line for each.
const REFUSED_MS = 500;

/** The program `reflect`. Returns its exit code. */
export async function reflect(
  args: readonly string[],
  script: string,
): Promise<number> {
  const options = parseOptions(args, REFLECT_OPTIONS);
  if (isAnswered(options.flags, REFLECT_HELP)) return EXIT.done;
  const settings = reflectSettings(options);
  const what = `reflect at ${formatAddress(settings.address)}`;
  requirePermissions([[what, reflectNeeds(settings)]], { script, args });
  return await run(settings);
}

async function run(settings: ReflectSettings): Promise<number> {
  const { address, trace, quiet, reflector: limits } = settings;
  const interrupted = Promise.withResolvers<void>();
  using _interrupts = onInterrupt(interrupted.resolve);
  const warnings = new Warnings();
  const { carrier } = await serverCarrier(settings.carrier, {
    maxSize: MAX_QUESTION,
    replies: true,
  });
  const reflector = startReflector(address, {
    ...limits,
    carrier: trace ? traced(carrier) : carrier,
    onListen: (addr) => {
      if (!quiet) say(`reflecting on ${formatAddress(addr)}`);
    },
    onError: (error) => warnings.onceAlike(reasonOf(error)),
  });
  {
    using _progress = showProgress(
      () => describeReflecting(reflector.stats),
      quiet,
    );
    using _refused = every(REFUSED_MS, () => {
      for (const line of describeRefusals(reflector.stats)) warnings.once(line);
    }, interrupted.reject);
    await Promise.race([interrupted.promise, reflector.finished]);
  }
  // After it is closed, the system has no count of it.
  const drops = await systemDrops(reflector, settings);
  await reflector.shutdown();
  if (!quiet) describeReflector(reflector.stats, drops).forEach(say);
  return EXIT.done;
}

async function systemDrops(
  reflector: Reflector,
  { carrier }: ReflectSettings,
): Promise<string | undefined> {
  if (!areSystemDropsCounted(carrier)) return undefined;
  const drops = await reflector.kernelDrops();
  return describeSystemDrops(drops);
}

if (import.meta.main) {
  await runProgram("reflect", () => reflect(Deno.args, import.meta.filename!));
}
