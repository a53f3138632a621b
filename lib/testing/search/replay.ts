import type { NetworkOptions, RunOptions } from "../network_options.ts";

const MAX_FATES = 40;

/** Returns code that runs a program once more, on such a network. */
export function replay(network: NetworkOptions, run: RunOptions): string {
  const { fates, ...others } = network;
  const fields = fieldsOf(others).map((field) => `  ${field},`);
  if (fates !== undefined) fields.push(...listOf(fates));
  const options = fieldsOf(run).length > 0 ? `, ${literal(run)}` : "";
  return [
    "const network = simulateNetwork({",
    ...fields,
    "});",
    `await network.run(() => program(network)${options});`,
  ].join("\n");
}

function listOf(fates: NonNullable<NetworkOptions["fates"]>): string[] {
  if (fates.length === 0) return ["  fates: [],"];
  const lines = fates.slice(0, MAX_FATES).map((fate) =>
    `    ${literal(fate)},`
  );
  const more = fates.length - lines.length;
  if (more > 0) lines.push(`    // and ${more} more, of error.network.fates`);
  return ["  fates: [", ...lines, "  ],"];
}

/** Writes a value of an option as JavaScript, on one line. */
function literal(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Date) return `new Date(${+value})`;
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  const fields = fieldsOf(value);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

function fieldsOf(object: object): string[] {
  return Object.entries(object).filter(([_, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${literal(value)}`);
}
