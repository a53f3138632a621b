import { findBuiltin } from "../../runtime.ts";
import { globalMember, isObject } from "./builtins.ts";
import type { Patches } from "./patches.ts";
import type { VirtualTime } from "./time.ts";
import { type Instead, PROMISIFY, switchBy } from "./world.ts";

type InsteadOfTime = Instead<VirtualTime>;

/** A function that begins a real job. */
interface Member {
  readonly owner: unknown;
  readonly name: string;
  /** Counts the job. */
  readonly instead: InsteadOfTime;
}

const BODIES = ["arrayBuffer", "blob", "bytes", "formData", "json", "text"];
// Of these modules of Node the functions that have a twin which waits call back.
const CALLING_BACK = ["fs", "crypto", "child_process"];
const LOOK_UP = /^(lookup|resolve|reverse)/;

let members: Member[] | undefined;

/**
 * Counts the real jobs that a program begins and that end by themselves, so that
 * virtual time stands still until they have.
 */
export function replaceJobs(patches: Patches): void {
  // The list is long, and the same in each run.
  members ??= [...membersOfWeb(), ...membersOfDeno(), ...membersOfNode()];
  for (const { owner, name, instead } of members) {
    patches.replace(owner, name, (native) => {
      const made = switchBy("time", native, instead);
      const own = (native as Partial<Record<symbol, unknown>>)[PROMISIFY];
      if (made !== native && own !== undefined) {
        const value = switchBy("time", own, promised(name));
        Object.defineProperty(made, PROMISIFY, { value, configurable: true });
      }
      return made;
    });
  }
  patches.replaceGetter(
    prototypeOf(globalMember("Deno", "ChildProcess")),
    "status",
    (before) => {
      const instead = promised("ChildProcess.status");
      return switchBy("time", before, instead) as typeof before;
    },
  );
}

function membersOfWeb(): Member[] {
  const subtle = prototypeOf(globalMember("SubtleCrypto"));
  return [
    ...promising(globalThis, "", ["fetch"]),
    ...["Response", "Request", "Blob"].flatMap((name) =>
      promising(prototypeOf(globalMember(name)), `${name}.`, BODIES)
    ),
    ...promising(subtle, "crypto.subtle.", methodsOf(subtle)),
  ];
}

function membersOfDeno(): Member[] {
  const deno = globalMember("Deno");
  const of = (name: string) => prototypeOf(globalMember("Deno", name));
  const file = of("FsFile");
  return [
    ...promising(deno, "Deno.", [...withTwins(deno), "resolveDns"]),
    ...promising(file, "FsFile.", withTwins(file)),
    ...promising(of("Command"), "Deno.Command.", ["output"]),
    ...promising(of("ChildProcess"), "ChildProcess.", ["output"]),
  ];
}

function membersOfNode(): Member[] {
  const files = findBuiltin("node:fs/promises");
  const dns = findBuiltin("node:dns/promises");
  // Whoever watches waits for what others do.
  const ofFiles = methodsOf(files).filter((name) => name !== "watch");
  const lookUps = methodsOf(dns).filter((name) => LOOK_UP.test(name));
  return [
    ...promising(files, "fs.promises.", ofFiles).map((member) =>
      member.name === "open"
        ? { ...member, instead: opened(member.instead) }
        : member
    ),
    ...promising(dns, "dns.promises.", lookUps),
    ...callingBack("dns", lookUps),
    ...CALLING_BACK.flatMap((module) =>
      // Chance is replaced by itself.
      callingBack(
        module,
        withTwins(findBuiltin(`node:${module}`)).filter((name) =>
          !name.startsWith("random")
        ),
      )
    ),
  ];
}

function promising(owner: unknown, label: string, names: string[]): Member[] {
  return names.map((name) => (
    { owner, name, instead: promised(`${label}${name}`) }
  ));
}

function promised(label: string): InsteadOfTime {
  return ({ jobs }, native, args) => jobs.count(label, () => native(...args));
}

function callingBack(module: string, names: string[]): Member[] {
  return names.map((name) => ({
    owner: findBuiltin(`node:${module}`),
    name,
    instead: ({ jobs }, native, args) =>
      jobs.countCallback(`${module}.${name}`, native, args),
  }));
}

/** Counts what the file does that a job opens, too. */
function opened(job: InsteadOfTime): InsteadOfTime {
  return async (time, native, args) => {
    const file = await job(time, native, args);
    for (const name of methodsOf(Object.getPrototypeOf(file))) {
      const { [name]: method } = file as Record<string, unknown>;
      const value = switchBy("time", method, promised(`FileHandle.${name}`));
      Object.defineProperty(file, name, { value, configurable: true });
    }
    return file;
  };
}

function prototypeOf(value: unknown): unknown {
  return isObject(value) ? value["prototype"] : undefined;
}

/** The names of the functions among an object's own members; of no class. */
function methodsOf(owner: unknown): string[] {
  if (!isObject(owner)) return [];
  return Object.getOwnPropertyNames(owner).filter((name) => {
    const member = Object.getOwnPropertyDescriptor(owner, name);
    return typeof member?.value === "function" && /^[a-z]/.test(name) &&
      name !== "constructor";
  });
}

/** The names of the functions that have a twin which waits: `read` has `readSync`. */
function withTwins(owner: unknown): string[] {
  return methodsOf(owner).filter((name) => `${name}Sync` in (owner as object));
}
