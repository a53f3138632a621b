import { unix } from "../../lib/carriers/unix.ts";
import { carrierContract } from "../../lib/testing/mod.ts";

let folder = "";
let sockets = 0;
carrierContract("unix", () => unix(), {
  address: () => `unix:${folder}/${sockets++}.sock`,
  answers: false,
  largest: 65_527,
  sendsToNobody: false,
  around: async (test) => {
    folder = await Deno.makeTempDir();
    try {
      await test();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
