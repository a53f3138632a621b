import { fileURLToPath } from "node:url";
import type { Setup } from "./setup.ts";
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
};

const ERRORS: Faults = {
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
  "the store's folder is removed, and there again": (world) => {
    const { disk: { storeFolder }, chance, harm } = world;
    const logs = `${storeFolder}/*.orphan*`;
    const remove = `mv ${logs} .; rm -rf ${storeFolder}`;
    return harm(`${remove}; sleep 0.${chance.below(9)}; mkdir ${storeFolder}`);
  },
  "the store is replaced by a backup": ({ disk: { path }, chance, harm }) => {
    const copy = `${HISTORY} ${path} --backup restored`;
    return harm(`${copy} && sleep 0.${chance.below(9)} && mv restored ${path}`);
  },
  "the store is replaced by something else for a while": (world) => {
    const { disk: { path }, chance, harm } = world;
    const replace = `echo something else >other && mv other ${path}`;
    return harm(`${replace}; sleep 0.${chance.below(9)}; mv ${path} other`);
  },
};

const DENO = `${Deno.execPath()} run -A --quiet`;
const HISTORY = `${DENO} ${
  fileURLToPath(new URL("../../../../lib/programs/history.ts", import.meta.url))
}`;
const SQL = `${DENO} ${fileURLToPath(new URL("sql.ts", import.meta.url))}`;

/** What other programs do with the store's file, none of which harms it. */
const PROGRAMS: Faults = {
  "history reads the store": ({ disk }) =>
    disk.sh(`${HISTORY} ${disk.path} >/dev/null`),
  "history reads the store slowly": ({ disk }) =>
    disk.sh(`${HISTORY} ${disk.path} | (sleep 0.5; cat >/dev/null)`),
  "the store is copied": async ({ disk }) => {
    const copy = disk.nextCopy();
    await disk.sh(`${HISTORY} ${disk.path} --backup ${copy}`);
  },
  "another program locks the store": ({ disk, chance }) =>
    disk.sh(`${SQL} ${disk.path} 'BEGIN IMMEDIATE' ${chance.below(700)}`),
  "another program reads the store while it is moved": async (world) => {
    const { disk, pause, chance } = world;
    const reading = disk.sh(
      `${SQL} ${disk.path} 'BEGIN; SELECT * FROM messages' 600`,
    );
    await pause(chance.below(500));
    await disk.move();
    await reading;
  },
  "another program vacuums the store": ({ disk }) =>
    disk.sh(`${SQL} ${disk.path} VACUUM`),
  "another program folds the store's log, and the store is moved": async (
    { disk },
  ) => {
    await disk.sh(`${SQL} ${disk.path} 'PRAGMA wal_checkpoint(TRUNCATE)'`);
    await disk.move();
  },
};

const DESCRIPTORS: Faults = {
  "it has no descriptors": async (world) => {
    const { subject: { pid }, disk, chance, pause } = world;
    await disk.sh(`prlimit --pid ${pid} --nofile=16:`);
    await pause(chance.below(800));
    const hard = `$(prlimit --pid ${pid} --nofile -o HARD --noheadings)`;
    if (!await disk.sh(`prlimit --pid ${pid} --nofile=$(echo ${hard}):`)) {
      throw new Error("prlimit failed");
    }
  },
};

const CONNECTIONS: Faults = {
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
  ...DESCRIPTORS,
  ...OUTPUTS,
  ...ERRORS,
  ...FILES,
  ...PROGRAMS,
  ...CONNECTIONS,
};

/** The names of those faults that concern what a server has. */
export function concerning(
  faults: Faults,
  { hasStore, hasPage }: Setup,
): string[] {
  const others: Faults = {
    ...!hasStore && { ...FILES, ...PROGRAMS },
    // Without a page only standard error has its numbers.
    ...!hasPage && { ...ERRORS, ...CONNECTIONS },
  };
  return Object.keys(faults).filter((name) => !(name in others));
}

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
