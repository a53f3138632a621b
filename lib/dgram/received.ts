import { findBuiltin } from "../runtime.ts";

interface Util {
  inspect(value: unknown, options: object): string;
}

// So long Node shows a value.
const MAX_SHOWN = 25;

/** Says what was given instead, as Node's messages end. */
export function received(value: unknown): string {
  if (value === null || value === undefined) return ` Received ${value}`;
  if (typeof value === "function") return ` Received function ${value.name}`;
  if (typeof value === "object") {
    const name = value.constructor?.name;
    return name
      ? ` Received an instance of ${name}`
      : ` Received ${inspect(value)}`;
  }
  const text = inspect(value);
  const shown = text.length > MAX_SHOWN + 3
    ? `${text.slice(0, MAX_SHOWN)}...`
    : text;
  return ` Received type ${typeof value} (${shown})`;
}

function inspect(value: unknown): string {
  const util = findBuiltin<Util>("node:util");
  const options = { depth: -1, colors: false };
  return util === undefined ? String(value) : util.inspect(value, options);
}
