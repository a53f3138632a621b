/**
 * TFTP, whose server answers each request from a new port (RFC 1350, section 4),
 * through the relay.
 */
import { assert, assertEquals } from "@std/assert";
import { startRelay } from "../../lib/testing/mod.ts";
import { pattern } from "../support/helpers.ts";
import { assertSameBytes } from "./support/exchanges.ts";
import { Peer, runPeer, testsWhere } from "./support/peers.ts";

const test = await testsWhere(
  "command -v atftp && PATH=$PATH:/usr/sbin command -v in.tftpd && test $(id -u) = 0",
  "atftp and tftpd-hpa, and be root",
);

const BLOCKS = 50;
// Blocks of 512 bytes, and a shorter one that ends it.
const FILE = pattern(BLOCKS * 512 + 100);

/** A TFTP server that serves FILE as `file`. */
async function startServer(folder: string) {
  const root = `${folder}/served`;
  await Deno.mkdir(root);
  await Deno.writeFile(`${root}/file`, FILE, { mode: 0o644 });
  await Deno.chmod(folder, 0o755);
  // It cannot choose a port by itself.
  const port = freePort();
  const peer = new Peer("/usr/sbin/in.tftpd", [
    ...["--foreground", "--listen", "--address", `127.0.0.1:${port}`],
    ...["--secure", root],
  ]);
  await peer.bound();
  return Object.assign(peer, { port });
}

function freePort(): number {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  const { port } = socket.addr as Deno.NetAddr;
  socket.close();
  return port;
}

for (
  const [what, faults] of Object.entries({
    "without faults": {},
    "with a tenth of the datagrams duplicated": { duplicate: 0.1 },
    "with packet loss": { loss: 0.03 },
  })
) {
  test(`TFTP fetches a file whole through the relay ${what}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await using server = await startServer(folder);
      await using relay = startRelay({
        listen: "udp://127.0.0.1:0",
        to: `udp://127.0.0.1:${server.port}`,
        ...faults,
      });
      const local = `${folder}/fetched`;
      await runPeer("atftp", [
        ...["--option", "timeout 1", "--get", "-r", "file", "-l", local],
        ...["127.0.0.1", `${relay.addr.port}`],
      ]);
      assertSameBytes(await Deno.readFile(local), FILE);
      const { up, down, refused, strangers } = relay.stats;
      assertEquals([refused, strangers], [0, 0]);
      assert(up.forwarded > BLOCKS && down.forwarded > BLOCKS);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
