// One run of a program over a network with faults, for each of the packages.
import { simulateNetwork } from "@pli/datagram/testing";

/** The packages, each with a program of that name beside this file. */
export const PACKAGES = [
  ...["coap", "dns2", "hot-shots", "multicast-dns", "net-snmp", "tftp"],
];

/** The faults of all runs. */
export const FAULTS = {
  loss: 0.2,
  duplicate: 0.2,
  reorder: 0.2,
  delayMs: { min: 5, max: 50 },
};

/**
 * Runs the program of a package.
 *
 * @returns What it complains about, each once, and the network.
 */
export async function trial(name, seed) {
  const { program } = await import(`./${name}.mjs`);
  const network = simulateNetwork({ seed, ...FAULTS });
  const complaints = new Set();
  const context = {
    network,
    real: (job) => network.real(job),
    complain: (what) => complaints.add(what),
  };
  await network.run(() => program(context), { dgram: true });
  return { complaints: [...complaints], network };
}
