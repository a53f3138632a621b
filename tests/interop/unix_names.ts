import { assertEquals } from "@std/assert";
import { bind } from "../../mod.ts";
import { SOON } from "../support/helpers.ts";
import { testsWhere } from "./support/peers.ts";

const test = await testsWhere("command -v python3", "python3");

const SEND = `
import socket, sys
for name, text in ((b"\\0\\xff\\xfe", b"lost"), (b"\\0pli-name", b"kept")):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(name)
    s.sendto(text, sys.argv[1])
`;

test("a sender whose name is not UTF-8 ends no iteration, and its datagram is counted", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/pli.sock`;
    await using socket = bind(`unix:${path}`);
    await socket.opened;
    const { code } = await new Deno.Command("python3", {
      args: ["-c", SEND, path],
    }).output();
    assertEquals(code, 0);
    assertEquals((await socket.receive(SOON)).text(), "kept");
    assertEquals(socket.stats.dropped["badSender"], 1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
