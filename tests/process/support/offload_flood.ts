// Floods an offload socket from a process of its own until it is stopped.
//
//   offload_flood.ts ADDRESS
import { connect } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";

/** Starts a flood. @returns What stops it. */
export async function fast(addr: Deno.NetAddr): Promise<() => Promise<void>> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--allow-net=127.0.0.1"],
      ...["--allow-ffi", new URL(import.meta.url).href],
      `udp://${addr.hostname}:${addr.port}`,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  return async () => {
    await reader.cancel();
    await child.stdin.close();
    await child.status;
  };
}

if (import.meta.main) {
  const [address = ""] = Deno.args;
  const client = await connect(address, { carrier: offload() });
  const messages = Array.from({ length: 256 }, () => new Uint8Array(50));
  let running = true;
  const stopped = Deno.stdin.readable.pipeTo(new WritableStream());
  stopped.finally(() => running = false);
  console.log("flooding");
  while (running) {
    // The receiver may be gone.
    await client.sendMany(messages).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  Deno.exit();
}
