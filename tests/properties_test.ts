import { assert, assertEquals } from "@std/assert";
import { setColorEnabled } from "@std/fmt/colors";
import fc from "fast-check";
import { canonicalIpv6 } from "../lib/address/host.ts";
import { formatter } from "../lib/programs/format.ts";
import {
  Datagram,
  escapeControls,
  formatAddress,
  InvalidAddressError,
  parseAddress,
} from "../mod.ts";

const RUNS = { numRuns: 2000 };

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;

const hostname = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((host) => canonicalIpv6(host) ?? "::1"),
  fc.domain(),
);
const address: fc.Arbitrary<Deno.NetAddr | Deno.UnixAddr> = fc.oneof(
  fc.record({
    transport: fc.constant("udp" as const),
    hostname,
    port: fc.integer({ min: 0, max: 65_535 }),
  }),
  fc.record({
    transport: fc.constant("unixpacket" as const),
    path: fc.string({ minLength: 1, maxLength: 100 }),
  }),
);

Deno.test("what formatAddress writes, parseAddress reads", () => {
  fc.assert(
    fc.property(address, (address) => {
      assertEquals(parseAddress(formatAddress(address)), address);
    }),
    RUNS,
  );
});

const nearlyAddress = fc.array(
  fc.constantFrom(
    ..."udp://|unix:|127.0.0.1|[::1]|[|]|:|/|@|?|#|.|0|65535|65536|-1|%|%eth0|localhost|é| |\0|\n"
      .split("|"),
  ),
).map((parts) => parts.join(""));

Deno.test("parseAddress returns an address that round-trips, or throws one line", () => {
  fc.assert(
    fc.property(
      fc.oneof(nearlyAddress, fc.string({ unit: "binary" })),
      (text) => {
        let parsed;
        try {
          parsed = parseAddress(text);
        } catch (error) {
          assert(error instanceof InvalidAddressError, String(error));
          assert(!CONTROL.test(error.message), error.message);
          return;
        }
        assertEquals(parseAddress(formatAddress(parsed)), parsed);
      },
    ),
    { numRuns: 10_000 },
  );
});

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: "binary" }).map((text) => encoder.encode(text)),
  fc.array(
    fc.constantFrom(...'\0\n\r\t\x1b\x7f\x85\u2028\u202e\u2066\ufeff\\"<a'),
  )
    .map((chars) => encoder.encode(chars.join(""))),
).map((bytes) => new Uint8Array(bytes));

for (const name of ["text", "json", "hex"] as const) {
  Deno.test(`${name} output of any datagram has no control character but its newline`, () => {
    setColorEnabled(false);
    const write = formatter(name);
    fc.assert(
      fc.property(bytes, address, fc.boolean(), (data, from, truncated) => {
        const datagram = new Datagram<Deno.Addr>(data, from, truncated);
        const line = decoder.decode(write(datagram, new Date(0)));
        assert(line.endsWith("\n"));
        assert(!CONTROL.test(line.slice(0, -1)), JSON.stringify(line));
      }),
      RUNS,
    );
  });
}

Deno.test("text output shows text escaped, and of other bytes those beyond ASCII as \\xHH", () => {
  setColorEnabled(false);
  const write = formatter("text");
  const start = "1970-01-01T00:00:00.000Z  udp://127.0.0.1:1  ";
  fc.assert(
    fc.property(bytes, (data) => {
      const from = parseAddress("127.0.0.1:1");
      const line = decoder.decode(write(new Datagram(data, from), new Date(0)));
      const size = data.length === 1 ? "1 byte" : `${data.length} bytes`;
      assertEquals(line, `${start}${size}  ${shown(data)}\n`);
    }),
    RUNS,
  );
});

function shown(data: Uint8Array): string {
  try {
    return escapeControls(decoder.decode(data));
  } catch {
    const hex = (byte: number) => `\\x${byte.toString(16).padStart(2, "0")}`;
    const chars = Array.from(
      data,
      (byte) => byte < 0x80 ? String.fromCharCode(byte) : hex(byte),
    );
    return escapeControls(chars.join(""));
  }
}

Deno.test("json output keeps every byte", () => {
  const write = formatter("json");
  fc.assert(
    fc.property(bytes, (data) => {
      const from = parseAddress("127.0.0.1:1");
      const line = decoder.decode(write(new Datagram(data, from), new Date(0)));
      const { text, base64, size } = JSON.parse(line);
      assertEquals(size, data.length);
      assertEquals(
        base64 === undefined
          ? encoder.encode(text)
          : Uint8Array.fromBase64(base64),
        data,
      );
    }),
    RUNS,
  );
});

Deno.test("escapeControls leaves no control character, and other text as it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const escaped = escapeControls(text);
      assert(!CONTROL.test(escaped));
      if (!CONTROL.test(text)) assertEquals(escaped, text);
    }),
    RUNS,
  );
});
