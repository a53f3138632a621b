// Lists the flows that routers export by NetFlow version 5 and version 9
// (RFC 3954), and counts those that were lost on the way, by their sequence.
//
//   deno run --allow-net=127.0.0.1 examples/protocols/netflow.ts 127.0.0.1:2055

import { escapeControls, formatAddress } from "@pli/datagram";
import { flows } from "./netflow_decode.ts";
import type { Templates } from "./netflow_templates.ts";
import { collectAt, program } from "./program.ts";

/** What is known of an exporter. */
type Exporter = { templates: Templates; next?: number };

const MAX_EXPORTERS = 100; // Anybody can send from new addresses.

if (import.meta.main) {
  await program("netflow.ts ADDRESS", async (at = "") => {
    const exporters = new Map<string, Exporter>();
    const lost = { flows: 0, exports: 0 };
    await collectAt(at, ({ datagram: { data, from } }) => {
      const view = new DataView(data.buffer, data.byteOffset, data.length);
      const isOld = view.getUint16(0) === 5;
      if (!isOld && view.getUint16(0) !== 9) throw new RangeError("version");
      const source = isOld ? view.getUint16(20) : view.getUint32(16);
      const name = `${formatAddress(from)} ${source}`;
      const exporter: Exporter = exporters.get(name) ??
        { templates: new Map() };
      const listed = [...flows(data, exporter.templates)];
      exporters.delete(name);
      exporters.set(name, exporter);
      const [oldest = ""] = exporters.keys();
      if (exporters.size > MAX_EXPORTERS) exporters.delete(oldest);

      // Version 5 numbers its flows, version 9 its exports (5.1).
      const sequence = view.getUint32(isOld ? 16 : 12);
      const count = isOld ? view.getUint16(2) : 1;
      const unit = isOld ? "flows" : "exports";
      const gap = sequence - (exporter.next ?? sequence) | 0;
      // It came late, and was counted as lost; or the exporter has restarted.
      const isLate = gap < 0 && gap > -1000;
      if (gap > 0) lost[unit] += gap;
      else if (isLate) lost[unit] = Math.max(0, lost[unit] - count);
      if (!isLate) exporter.next = sequence + count;
      for (const flow of listed) console.log(escapeControls(flow));
    });
    console.error(`lost ${lost.flows} flows, ${lost.exports} exports`);
  });
}
