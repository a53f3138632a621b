// A worker that counts what its socket on a shared port receives.
import { bind } from "../../../mod.ts";
import { offload } from "../../../lib/carriers/offload.ts";

const worker = self as unknown as {
  onmessage: (event: MessageEvent) => void;
  postMessage(message: unknown): void;
};

worker.onmessage = async ({ data: { port, fails, reusePort, isUdp } }) => {
  const carrier = isUdp ? undefined : offload({ reusePort });
  const socket = bind(`udp://127.0.0.1:${port}`, { carrier });
  worker.postMessage({ port: socket.addr.port });
  for await (const _ of socket) {
    worker.postMessage({ received: 1 });
    if (fails) throw new Error("the worker fails");
  }
};
