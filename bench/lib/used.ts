import { output } from "./child.ts";

const CLOCK_TICK_MICROS = 10_000;

/** What a process has used so far. */
export interface Used {
  /** Its CPU time, in steps of 10 ms. */
  cpuMicros: number;
  /** Its resident memory, in bytes: now, and the highest. */
  bytes: number;
  mostBytes: number;
}

/** Returns the CPU time and the memory of a process: proc(5). */
export async function used(pid: number): Promise<Used> {
  const text = await output("cat", `/proc/${pid}/stat`, `/proc/${pid}/status`);
  const [user = NaN, system = NaN] = text.split(" ").slice(13).map(Number);
  const bytes = (field: string) =>
    Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1]) * 1024;
  return {
    cpuMicros: (user + system) * CLOCK_TICK_MICROS,
    bytes: bytes("VmRSS"),
    mostBytes: bytes("VmHWM"),
  };
}
