/** A network of its own: two interfaces, each with a neighbor. */

const SET_UP = [
  "ip link set lo up",
  ...[["left", 1], ["right", 2]].flatMap(([name, n]) => [
    `ip link add ${name} type veth peer name ${name}-peer`,
    // No addresses by themselves: they would take a moment.
    `ip link set ${name} addrgenmode none`,
    `ip link set ${name}-peer addrgenmode none`,
    `ip link set ${name} up`,
    `ip link set ${name}-peer up`,
    ...[1, 2].flatMap((host) => [
      `ip address add 10.${n}.0.${host}/24 dev ${name}`,
      `ip address add fd00:${n}::${host}/64 dev ${name} nodad`,
      `ip address add fe80::${n}:${host}/64 dev ${name} nodad`,
    ]),
  ]),
].join(" && ");

/**
 * Runs a command with interfaces `left` (10.1.0.1, 10.1.0.2, fd00:1::1,
 * fd00:1::2, fe80::1:1, fe80::1:2) and `right` (likewise with 2), whose datagrams arrive at `left-peer` and
 * `right-peer`. The network is gone when the command has ended.
 *
 * @returns `undefined` if namespaces are forbidden, as they are in containers by
 * default; root has them.
 */
export async function amongNeighbors(
  command: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string } | undefined> {
  const inside = async (command: readonly string[]) => {
    const script = `${SET_UP} && exec "$@"`;
    const args = ["-rn", "sh", "-c", script, "sh", ...command];
    const output = await new Deno.Command("unshare", { args }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return {
      code: output.code,
      stdout: text(output.stdout),
      stderr: text(output.stderr),
    };
  };
  if ((await inside(["true"])).code !== 0) return undefined;
  return await inside(command);
}
