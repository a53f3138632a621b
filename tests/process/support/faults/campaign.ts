import { assert, assertEquals } from "@std/assert";
import { Chance } from "./chance.ts";
import { concerning, type Fault } from "./faults.ts";
import { type Broker, World } from "./world.ts";

const MAX_STEPS = 5;
const MAX_LIVES = 3;
// Where standard error goes. It is read, in most runs.
const ERRORS = ["", "", "", "", "2>/dev/full", "2>&-", "2>>log"];
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const NUMBERS = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1, SIGKILL: 9 };
// What the end may take besides the sinks' time, on a busy machine.
const MARGIN_MS = 60_000;
// A run that takes so long hangs.
const LIMIT_MS = 600_000;

/** Runs a campaign from a seed. Returns what was done; an error says it too. */
export async function campaign(
  seed: number,
  faults: Readonly<Record<string, Fault>>,
  broker?: Broker,
): Promise<readonly string[]> {
  const chance = new Chance(seed);
  await using world = await World.open(`${seed}`, chance, broker);
  try {
    await atMost(LIMIT_MS, run(world, faults));
    return world.log;
  } catch (cause) {
    const { message } = cause as Error;
    if (world.lives.length > 0) world.noteSaid();
    throw new Error(`seed ${seed}: ${message}\n${world.log.join("\n")}`, {
      cause,
    });
  }
}

/** Rejects after that time: the run goes on, and ends with its world. */
async function atMost(ms: number, run: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`it hangs: not done after ${ms} ms`));
  }, ms);
  try {
    await Promise.race([run, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function run(
  world: World,
  faults: Readonly<Record<string, Fault>>,
): Promise<void> {
  const { chance } = world;
  const names = concerning(faults, world.setup);
  const lives = 1 + chance.below(MAX_LIVES);
  for (let n = 1; n <= lives; n++) {
    if (chance.below(6) === 0) await endEarly(world);
    const errors = chance.pick(ERRORS);
    await world.start(
      world.setup.hasPage ? errors : "",
      world.setup.hasStore && chance.below(8) === 0,
    );
    world.life.load.start(1 + chance.below(20));
    await world.pause(chance.below(200));
    const steps = chance.below(MAX_STEPS + 1);
    for (let k = 0; k < steps; k++) {
      const name = chance.pick(names);
      world.note(name);
      await faults[name]!(world);
      await world.pause(chance.below(300));
    }
    await (n < lives && chance.below(3) > 0 ? world.kill() : end(world));
    await world.tidy();
  }
  await rest(world);
  await world.check();
}

/** A life that a signal ends while it begins. */
async function endEarly(world: World): Promise<void> {
  const { chance } = world;
  world.begin();
  await world.pause(chance.below(500));
  const signal = chance.pick([...SIGNALS, "SIGKILL"] as const);
  world.note(`early: ${signal}`);
  world.subject.kill(signal);
  const { code } = await world.end(MARGIN_MS);
  assert([0, 128 + NUMBERS[signal]].includes(code), `exit code ${code}`);
  await world.disk.noteOrphans();
}

/** A life without faults: whatever was before, it starts, stores and ends. */
async function rest(world: World): Promise<void> {
  await world.start();
  world.life.load.start(1);
  await world.pause(50);
  await world.life.load.stop();
  await world.settle();
  // The end may leave too little time for a slow disk.
  await world.stored();
  if (world.broker !== undefined) {
    await world.broker.start();
    await world.published();
  }
  world.subject.kill("SIGTERM");
  const { code } = await world.end(MARGIN_MS);
  assertEquals(code, 0, "exit code");
  const { notStored = 0 } = world.life.totals!.sinks["store"] ?? {};
  assertEquals(notStored, 0, "not stored without any fault");
}

/** Ends the server by one signal or two. */
async function end(world: World): Promise<void> {
  const { chance, subject, life, endMs } = world;
  // Some are told to end under load.
  const isUnderLoad = world.isHeard && chance.below(4) === 0;
  if (!isUnderLoad) await life.load.stop();
  if (!world.isHeard || !isUnderLoad && chance.below(2) === 0) {
    await world.settle();
  }
  life.sentBefore = life.load.sent;
  const signal = chance.pick(SIGNALS);
  const isStopped = chance.below(4) === 0;
  if (isStopped) subject.kill("SIGSTOP");
  subject.kill(signal);
  world.note(`${isStopped ? "stopped, " : ""}${signal}`);
  if (isStopped) {
    await world.pause(chance.below(100));
    subject.kill("SIGCONT");
  }
  if (chance.below(3) > 0) {
    const { code } = await world.end(endMs + MARGIN_MS);
    if (code !== 0) throw new Error(`exit code ${code} after ${signal}`);
    return;
  }
  await world.pause(chance.below(chance.pick([10, 100, 1000])));
  const second = chance.pick(SIGNALS);
  subject.kill(second);
  life.isHurried = true;
  world.note(`a second signal: ${second}`);
  const { code } = await world.end(MARGIN_MS);
  // Two that wait at the same time come in any order.
  const codes = [signal, second].map((name) => 128 + NUMBERS[name]);
  if (code !== 0 && !codes.includes(code)) {
    throw new Error(`exit code ${code} after ${signal} and ${second}`);
  }
}
