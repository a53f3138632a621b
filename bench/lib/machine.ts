import { cpus } from "node:os";

/** One line on what the figures were measured with. */
export function machine(): string {
  const all = cpus();
  return [
    `${all[0]?.model ?? "unknown CPU"}, ${all.length} cores`,
    `${Deno.build.os} ${Deno.osRelease()}`,
    `Deno ${Deno.version.deno}`,
    new Date().toISOString().slice(0, 10),
  ].join(" · ");
}
