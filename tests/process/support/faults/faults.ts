import type { World } from "./world.ts";

/** One fault: strikes the server of a world, under load. */
export type Fault = (world: World) => unknown;

type Faults = Readonly<Record<string, Fault>>;

const PROCESSES: Faults = {
  "it sleeps": async ({ subject, chance, pause }) => {
    subject.kill("SIGSTOP");
    await pause(chance.below(chance.pick([50, 500, 1500])));
    subject.kill("SIGCONT");
  },
};

const OUTPUTS: Faults = {
  "standard output is not read": ({ subject }) => subject.stdout.stall(),
  "standard output is read": ({ subject }) => subject.stdout.goOn(),
  "standard output is closed": ({ subject }) => subject.stdout.close(),
  "standard error is not read": ({ subject }) => subject.stderr.stall(),
  "standard error is read": ({ subject }) => subject.stderr.goOn(),
  "standard error is closed": ({ subject }) => subject.stderr.close(),
};

const FILES: Faults = {
  "the disk is full": ({ disk, subject }) => disk.fill(subject.pid),
  "the disk has room": ({ disk, subject }) => disk.makeRoom(subject.pid),
  "the disk is full for a while": async ({ disk, subject, chance, pause }) => {
    await disk.fill(subject.pid);
    await pause(chance.below(500));
    await disk.makeRoom(subject.pid);
  },
  "the store is moved": ({ disk }) => disk.move(),
  "the store is moved again and again": async ({ disk, chance, pause }) => {
    for (let n = 0; n < 5; n++) {
      await disk.move();
      await pause(chance.below(40));
    }
  },
  "the store is removed": ({ disk, harm }) => harm(`rm -f ${disk.path}`),
  // Its log first: the one that there is afterwards is another file's.
  "the store is removed with its log": ({ disk: { path }, harm }) =>
    harm(`rm -f ${path}-wal ${path}-shm ${path}`),
  "the store is emptied": ({ disk, harm }) => harm(`: >${disk.path}`),
};

const CONNECTIONS: Faults = {
  "it has no descriptors": async (world) => {
    const { subject: { pid }, disk, chance, pause } = world;
    await disk.sh(`prlimit --pid ${pid} --nofile=16:`);
    await pause(chance.below(800));
    const hard = `$(prlimit --pid ${pid} --nofile -o HARD --noheadings)`;
    if (!await disk.sh(`prlimit --pid ${pid} --nofile=$(echo ${hard}):`)) {
      throw new Error("prlimit failed");
    }
  },
  "the page has idle connections": (world) => world.connect(150, ""),
  "the page gets halves of requests": (world) =>
    world.connect(60, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "),
  "the page has readers that do not read": (world) =>
    world.connect(10, "GET /events HTTP/1.1\r\nHost: LOCAL\r\n\r\n"),
  "the page is asked for much": (world) =>
    world.connect(
      5,
      "GET /messages?limit=1000 HTTP/1.1\r\nHost: LOCAL\r\n\r\n",
    ),
  "the page loses its connections": (world) => world.disconnect(),
};

/** What strikes a server that prints, stores and has a page. */
export const FAULTS: Faults = {
  ...PROCESSES,
  ...OUTPUTS,
  ...FILES,
  ...CONNECTIONS,
};

const BROKER: Faults = {
  "the broker is killed": ({ broker }) => broker!.kill(),
  "the broker is back": ({ broker }) => broker!.start(),
  "the broker is killed, and back": async ({ broker, chance, pause }) => {
    await broker!.kill();
    await pause(chance.below(1000));
    await broker!.start();
  },
  "the broker sleeps": async ({ broker, chance, pause }) => {
    broker!.signal("SIGSTOP");
    await pause(chance.below(1000));
    broker!.signal("SIGCONT");
  },
};

/** What strikes a server that publishes as well: its broker, as often as the rest. */
export const BROKER_FAULTS: Faults = {
  ...FAULTS,
  ...BROKER,
  ...again(BROKER, "again"),
  ...again(BROKER, "once more"),
};

function again(faults: Faults, when: string): Faults {
  const entries = Object.entries(faults);
  return Object.fromEntries(
    entries.map(([name, fault]) => [`${name} ${when}`, fault]),
  );
}
