import { unix } from "../../lib/carriers/unix.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { bothContracts, tracedContract } from "../support/contracts.ts";

let folder = "";
let sockets = 0;
bothContracts("unix", () => unix(), {
  address: () => `unix:${folder}/${sockets++}.sock`,
  answers: false,
  largest: 65_527,
  sendToUnbound: "rejects",
  around: async (test) => {
    folder = await Deno.makeTempDir();
    try {
      await test();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

tracedContract("offload", () => offload(), { sendToUnbound: "rejects" });
