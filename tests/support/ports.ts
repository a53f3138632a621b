import { bind } from "../../mod.ts";

/** Returns a port that is free, and that the system gives to nobody by itself. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    try {
      await using _udp = bind(`udp://[::]:${port}`);
      await using _tcp = bind(`tcp://[::]:${port}`);
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
