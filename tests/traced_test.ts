import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  bind,
  type Carrier,
  type CarrierSource,
  connect,
  ConnectedSocket,
  type Data,
  DatagramSocket,
  traced,
} from "../mod.ts";
import { simulateNetwork } from "../lib/testing/mod.ts";
import {
  cut,
  FakeBatchCarrier,
  FakeRunCarrier,
  run,
} from "./support/fake_batches.ts";
import { FakeCarrier, sourceOf } from "./support/fakes.ts";
import { consoleErrors, LOCAL, PEER, turn } from "./support/helpers.ts";

const ADDRESS = LOCAL;
const OWN = "udp://127.0.0.1:62000";
const OTHER = "udp://127.0.0.1:40000";

/** The carrier with a trace, and its lines without their times. */
function tracing(carrier: Carrier) {
  const lines: string[] = [];
  const source = traced(sourceOf(carrier), (line) => {
    lines.push(line.replace(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z {2}/, ""));
  });
  return { lines, source, carrier: source.listen(ADDRESS) };
}

/** What a line shows of a datagram that was received. */
async function shown(data: Data): Promise<string> {
  const fake = new FakeCarrier({});
  const { lines, carrier } = tracing(fake);
  fake.deliver(data);
  await carrier.receive();
  return lines[1]!.slice(`${OWN} ← ${OTHER}  `.length);
}

const BYTES: [string, Data, string][] = [
  ["text is quoted", "Bonjour", '7 bytes  "Bonjour"'],
  ["one byte is singular", "x", '1 byte  "x"'],
  ["an empty datagram is empty text", "", '0 bytes  ""'],
  ["line breaks and tabs are escaped", "a\tb\r\n", '5 bytes  "a\\tb\\r\\n"'],
  ["bidirectional controls are escaped", "\u202e", '3 bytes  "\\u202e"'],
  ["a byte order mark stays", "\ufeffa", '4 bytes  "\ufeffa"'],
  ["escape sequences are hexadecimal", "\x1b[2J", "4 bytes  1b5b324a"],
  ["a NUL makes it hexadecimal", "a\0", "2 bytes  6100"],
  [
    "what is not UTF-8 is hexadecimal",
    new Uint8Array([0xff, 0]),
    "2 bytes  ff00",
  ],
  [
    "of long text the beginning is shown",
    "x".repeat(65),
    `65 bytes  "${"x".repeat(64)}"…`,
  ],
  [
    "a character that the cut splits is left out",
    "x".repeat(63) + "éé",
    `67 bytes  "${"x".repeat(63)}"…`,
  ],
  [
    "of long binary data the beginning is shown",
    new Uint8Array(65_507),
    `65507 bytes  ${"00".repeat(64)}…`,
  ],
];
for (const [what, data, expected] of BYTES) {
  Deno.test(`a trace: ${what}`, async () => {
    assertEquals(await shown(data), expected);
  });
}

Deno.test("a trace has a line each for opening, each datagram, and closing", async () => {
  const fake = new FakeCarrier({});
  const { lines, carrier, source } = tracing(fake);
  const socket = new DatagramSocket(carrier);
  fake.deliver("ping");
  await socket.receive();
  await socket.send("pong", PEER);
  socket.close();
  assertEquals(lines, [
    `${OWN} opened`,
    `${OWN} ← ${OTHER}  4 bytes  "ping"`,
    `${OWN} → ${OTHER}  4 bytes  "pong"`,
    `${OWN} closed`,
  ]);
  assertEquals(fake.calls, ["close"]);
  await source.dial!(PEER);
  assertEquals(lines.at(-1), `${OWN} opened to ${OTHER}`);
});

Deno.test("a trace begins with the time: the system's, or the carrier's own", async () => {
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const before = Date.now();
  traced(sourceOf(new FakeCarrier({})), log).listen(ADDRESS);
  const time = Date.parse(lines[0]!.split(" ")[0]!);
  assert(time >= before && time <= Date.now(), lines[0]);

  const network = simulateNetwork({ delayMs: { min: 250, max: 250 } });
  await network.run(async () => {
    const carrier = traced(network, log);
    await using socket = bind("udp://127.0.0.1:1", { carrier });
    await using client = await connect(socket.addr, { carrier: network });
    await client.send("x");
    await socket.receive();
  });
  assertMatch(lines[2]!, /^250\.000 ms {2}udp:\/\/127\.0\.0\.1:1 ← /);
});

Deno.test("a trace has what fails, and its caller gets the error as it is", async () => {
  const fake = new FakeCarrier({});
  const { lines, carrier } = tracing(fake);
  const error = new Deno.errors.NetworkUnreachable("no \x1b route");
  fake.onSend = () => Promise.reject(error);
  const sent = await carrier.send(new Uint8Array(3), PEER).catch((e) => e);
  fake.fail(error);
  const received = await carrier.receive().catch((e) => e);
  assert(sent === error && received === error);
  assertEquals(lines.slice(1), [
    `${OWN} → ${OTHER}  3 bytes  000000`,
    `${OWN} → ${OTHER}  3 bytes, not sent: no \\x1b route  000000`,
    `${OWN} ← not received: no \\x1b route`,
  ]);
});

Deno.test("a receive that ends with its socket is no failure in a trace", async () => {
  const { lines, carrier } = tracing(new FakeCarrier({}));
  const socket = new DatagramSocket(carrier);
  const receiving = socket.receive().catch(() => {});
  socket.close();
  await receiving;
  assertEquals(lines.slice(1), [`${OWN} closed`]);
});

Deno.test("a trace has what cannot be opened: at once, later, or when dialed", async () => {
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line.replace(/^\S+ {2}/, ""));
  const error = new Deno.errors.AddrInUse("in use");
  const source: CarrierSource = {
    listen: () => {
      throw error;
    },
    dial: () => Promise.reject(error),
  };
  const { listen, dial } = traced(source, log);
  assertThrows(() => listen(ADDRESS), Deno.errors.AddrInUse);
  await assertRejects(() => dial!(PEER), Deno.errors.AddrInUse);
  const late = Object.assign(new FakeCarrier({}), {
    opened: Promise.reject(error),
  });
  const opening = traced(sourceOf(late), log).listen(ADDRESS).opened!;
  await assertRejects(() => opening, Deno.errors.AddrInUse);
  assertEquals(lines, [
    `${OWN} not opened: in use`,
    `${OTHER} not opened: in use`,
    `${OWN} not opened: in use`,
  ]);
});

Deno.test("a trace has a line per datagram of a batch that is received", async () => {
  const fake = new FakeBatchCarrier();
  const { lines, carrier } = tracing(fake);
  const long = { ...cut(new Uint8Array(2), 2), truncated: true };
  fake.deliver(run(["one", "two", "3"]), run([""]), long);
  const runs = await carrier.receiveBatch!();
  assertEquals(runs.length, 3);
  assertEquals(lines.slice(1), [
    `${OWN} ← ${OTHER}  3 bytes  "one"`,
    `${OWN} ← ${OTHER}  3 bytes  "two"`,
    `${OWN} ← ${OTHER}  1 byte  "3"`,
    `${OWN} ← ${OTHER}  0 bytes  ""`,
    `${OWN} ← ${OTHER}  2 bytes, truncated  0000`,
  ]);
});

Deno.test("a trace has what was sent of a batch, and what could not be sent", async () => {
  const fake = new FakeBatchCarrier();
  const { lines, carrier } = tracing(fake);
  const socket = new ConnectedSocket(carrier, PEER);
  // However the messages are divided: a batch may end when a turn is due.
  fake.onBatch = (batch) => {
    const texts = batch.map(({ data }) => new TextDecoder().decode(data));
    if (texts.includes("d")) throw new Error("broken");
    const sent = texts.indexOf("b");
    if (sent < 0) return { sent: batch.length };
    return { sent, error: new Error("no room") };
  };
  await assertRejects(() => socket.sendMany(["a", "b", "c"]), AggregateError);
  await assertRejects(() => socket.sendMany(["d"]), AggregateError);
  assertEquals(lines.slice(1), [
    `${OWN} → ${OTHER}  1 byte  "a"`,
    `${OWN} → ${OTHER}  1 byte, not sent: no room  "b"`,
    `${OWN} → ${OTHER}  1 byte  "c"`,
    `${OWN} → not sent: broken`,
  ]);
  socket.close();
});

Deno.test("a trace has what was sent of a run, and what could not be sent", async () => {
  const fake = new FakeRunCarrier();
  const { lines, carrier } = tracing(fake);
  const socket = new ConnectedSocket(carrier, PEER);
  fake.onRun = () => ({ sent: 1, error: new Error("no room") });
  await assertRejects(() => socket.sendRun("abbcc", 2), Error);
  fake.onRun = () => Promise.reject(new Error("broken"));
  await assertRejects(() => socket.sendRun("dd", 1), Error);
  assertEquals(lines.slice(1), [
    `${OWN} → ${OTHER}  2 bytes  "ab"`,
    `${OWN} → ${OTHER}  2 bytes, not sent: no room  "bc"`,
    `${OWN} → not sent: broken`,
  ]);
  socket.close();
});

Deno.test("a trace passes on buffers and addresses, not copies of them", async () => {
  const fake = new FakeCarrier({});
  const received = [new Uint8Array(3), { ...PEER }] as const;
  fake.receive = () => Promise.resolve([...received]);
  const { carrier } = tracing(fake);
  const [data, from] = await carrier.receive();
  assert(data === received[0] && from === received[1]);
});

for (
  const [what, log] of Object.entries({
    throws: () => {
      throw new Error("disk full");
    },
    rejects: () => Promise.reject(new Error("disk full")),
    "throws what has no text": () => {
      throw Object.create(null);
    },
  })
) {
  Deno.test(`a log that ${what} is reported once, and everything passes`, async () => {
    const calls = await consoleErrors(async () => {
      const fake = new FakeCarrier({});
      const source = traced(sourceOf(fake), log as () => void);
      await using socket = new DatagramSocket(source.listen(ADDRESS));
      for (const text of ["a", "b"]) {
        fake.deliver(text);
        assertEquals((await socket.receive()).text(), text);
        await socket.send(text, PEER);
      }
      assertEquals(fake.sentTexts, ["a", "b"]);
      await turn();
    });
    assertEquals(calls.length, 1);
    assertMatch(`${calls[0]}`, /^cannot log: (disk full|an error .* no text)$/);
  });
}

Deno.test("a log that receives and sends takes nothing from who waited before it", async () => {
  const fake = new FakeCarrier({});
  const got: string[] = [];
  const receive = async (who: string) => {
    got.push(`${who} ${(await socket.receive()).text()}`);
  };
  let isFirst = true;
  const source = traced(sourceOf(fake), (line) => {
    if (!line.includes("←") || !isFirst) return;
    isFirst = false;
    receive("log");
    socket.send("from the log", PEER);
  });
  const socket = new DatagramSocket(source.listen(ADDRESS));
  receive("program");
  fake.deliver("first");
  fake.deliver("second");
  while (got.length < 2) await turn();
  assertEquals(got, ["program first", "log second"]);
  assertEquals(fake.sentTexts, ["from the log"]);
  socket.close();
});

Deno.test("without a log the lines go to standard error", async () => {
  const calls = await consoleErrors(() => {
    traced(sourceOf(new FakeCarrier({}))).listen(ADDRESS);
    return Promise.resolve();
  });
  assertEquals(calls.length, 1);
  assertMatch(`${calls[0]}`, /Z {2}udp:\/\/127\.0\.0\.1:62000 opened$/);
});

Deno.test("a source without schemes or dial has none with a trace either", () => {
  const { listen } = sourceOf(new FakeCarrier({}));
  assertEquals(Object.keys(traced({ listen })), ["listen"]);
  const full = { ...sourceOf(new FakeCarrier({})), schemes: ["udp"] as const };
  assertEquals(traced(full).schemes, ["udp"]);
});
