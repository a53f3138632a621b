import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import { Buffer } from "node:buffer";

// RFC 9001, section 5.2.
const SALT = Buffer.from("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "hex");
const TAG = 16;

/** Makes real first packets of QUIC handshakes, each of a different client. */
export interface Initials {
  next(): Uint8Array;
}

/**
 * Takes the first packet that Deno's own client sends, decrypts it, and encrypts
 * its content again under other connection IDs. A server sees each as the start
 * of a handshake (RFC 9000, section 17.2.2; RFC 9001, section 5).
 */
export async function initials(): Promise<Initials> {
  const first = await firstPacket();
  const { frames, packetNumber, header } = open(first);
  return {
    next: () => {
      const id = crypto.getRandomValues(new Uint8Array(header.id.length));
      return seal({ ...header, id }, packetNumber, frames);
    },
  };
}

interface Header {
  /** Up to the destination's connection ID, unprotected. */
  before: Uint8Array;
  id: Uint8Array;
  /** From there to the packet number. */
  after: Uint8Array;
}

async function firstPacket(): Promise<Buffer> {
  const hostname = "127.0.0.1";
  const server = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const { port } = server.addr as Deno.NetAddr;
  const endpoint = new Deno.QuicEndpoint({ hostname });
  const calling = Deno.connectQuic<false>({
    ...{ hostname, port, endpoint, alpnProtocols: ["pli/1"] },
  }).catch(() => {});
  const [packet] = await server.receive();
  endpoint.close();
  await calling;
  server.close();
  return Buffer.from(packet);
}

function open(packet: Buffer) {
  const id = packet.subarray(6, 6 + packet[5]!);
  let at = 6 + id.length;
  at += 1 + packet[at]!;
  const [token, afterToken] = varint(packet, at);
  const [length, start] = varint(packet, afterToken + token);
  const { key, iv, hp } = keys(id);
  const mask = maskOf(hp, packet.subarray(start + 4, start + 20));
  const flags = packet[0]! ^ (mask[0]! & 0x0f);
  const size = (flags & 3) + 1;
  const packetNumber = packet.subarray(start, start + size)
    .map((byte, i) => byte ^ mask[1 + i]!);
  const before = Buffer.from(packet.subarray(0, 6));
  before[0] = flags;
  const after = packet.subarray(6 + id.length, start);
  const end = start + length;
  const decipher = createDecipheriv(
    "aes-128-gcm",
    key,
    nonce(iv, packetNumber),
  );
  decipher.setAAD(Buffer.concat([before, id, after, packetNumber]));
  decipher.setAuthTag(packet.subarray(end - TAG, end));
  const frames = Buffer.concat([
    decipher.update(packet.subarray(start + size, end - TAG)),
    decipher.final(),
  ]);
  return { frames, packetNumber, header: { before, id, after } };
}

function seal(
  { before, id, after }: Header,
  packetNumber: Uint8Array,
  frames: Uint8Array,
): Uint8Array {
  const { key, iv, hp } = keys(id);
  const header = Buffer.concat([before, id, after, packetNumber]);
  const cipher = createCipheriv("aes-128-gcm", key, nonce(iv, packetNumber));
  cipher.setAAD(header);
  const packet = Buffer.concat([
    ...[header, cipher.update(frames), cipher.final(), cipher.getAuthTag()],
  ]);
  const start = header.length - packetNumber.length;
  const mask = maskOf(hp, packet.subarray(start + 4, start + 20));
  packet[0]! ^= mask[0]! & 0x0f;
  for (let i = 0; i < packetNumber.length; i++) {
    packet[start + i]! ^= mask[1 + i]!;
  }
  return packet;
}

function keys(id: Uint8Array) {
  const secret = expand(hmac(SALT, id), "client in", 32);
  return {
    key: expand(secret, "quic key", 16),
    iv: expand(secret, "quic iv", 12),
    hp: expand(secret, "quic hp", 16),
  };
}

/** HKDF-Expand-Label (RFC 8446, section 7.1), of one block. */
function expand(secret: Uint8Array, label: string, size: number): Buffer {
  const name = `tls13 ${label}`;
  const info = Buffer.from([0, size, name.length, ...Buffer.from(name), 0, 1]);
  return hmac(secret, info).subarray(0, size);
}

function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

function maskOf(hp: Uint8Array, sample: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-128-ecb", hp, null);
  const mask = cipher.update(sample);
  cipher.final();
  return mask;
}

function nonce(iv: Uint8Array, packetNumber: Uint8Array): Buffer {
  const bytes = Buffer.from(iv);
  const offset = bytes.length - packetNumber.length;
  packetNumber.forEach((byte, i) => bytes[offset + i]! ^= byte);
  return bytes;
}

/** Reads a variable-length integer (RFC 9000, section 16), and returns its end. */
function varint(bytes: Uint8Array, at: number): [value: number, end: number] {
  const size = 1 << (bytes[at]! >> 6);
  let value = bytes[at]! & 0x3f;
  for (let i = 1; i < size; i++) value = value * 256 + bytes[at + i]!;
  return [value, at + size];
}
