import { SIZE } from "./datagrams.ts";

// From Linux's headers: the same on all architectures that Deno runs on.
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
// How many datagrams the kernel makes of one call.
const SEGMENTS = 32;
const MAX_FAILURES = 1000;

/**
 * Opens a socket that hands the kernel many datagrams at once (UDP_SEGMENT, by
 * libc): one core then sends more of them than another can receive.
 *
 * @returns What sends until a moment of `performance.now()`, or until nobody
 * listens any more.
 * @throws Where there is no such libc or no such option.
 */
export function openFlood(port: number): (until: number) => void {
  const { symbols: libc } = Deno.dlopen("libc.so.6", {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    setsockopt: {
      parameters: ["i32", "i32", "i32", "buffer", "u32"],
      result: "i32",
    },
    send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  });
  const fd = libc.socket(AF_INET, SOCK_DGRAM, 0);
  const peer = socketAddress(port);
  const size = new Uint8Array(new Int32Array([SIZE]).buffer);
  const data = new Uint8Array(SEGMENTS * SIZE);
  const send = () => libc.send(fd, data, BigInt(data.length), 0) > 0;

  const works = libc.connect(fd, peer, peer.length) === 0 &&
    libc.setsockopt(fd, SOL_UDP, UDP_SEGMENT, size, size.length) === 0 &&
    send();
  if (!works) throw new Deno.errors.NotSupported("no UDP_SEGMENT here");

  return (until) => {
    let failures = 0;
    while (performance.now() < until && failures < MAX_FAILURES) {
      if (!send()) failures++;
    }
  };
}

/** A `struct sockaddr_in`: the family as the machine orders it, the rest not. */
function socketAddress(port: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  new Uint16Array(bytes.buffer)[0] = AF_INET;
  new DataView(bytes.buffer).setUint16(2, port);
  bytes.set([127, 0, 0, 1], 4);
  return bytes;
}
