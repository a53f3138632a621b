import type { Addr, NetAddr } from "../addr.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { CarrierSource } from "../carrier.ts";
import type { ConnectedSocket } from "../socket/connected_socket.ts";
import type { Datagram } from "../datagram.ts";
import type { DatagramSocket } from "../socket/datagram_socket.ts";
import { errors, MessageTooLargeError, SocketClosedError } from "../errors.ts";
import { bind, connect } from "../open.ts";

/** What a carrier can do, where it is not all, and how its tests are run. */
export interface ContractOptions {
  /**
   * Where to bind, with a free port; asked anew for each test.
   * @default {() => "udp://127.0.0.1:0"}
   */
  address?: () => string;
  /** Whether a bound socket can answer its peers. @default {true} */
  answers?: boolean;
  /** Whether datagrams come in the order in which they were sent. @default {true} */
  ordered?: boolean;
  /**
   * Whether each datagram comes, when nobody is in the way and the receiver
   * reads. @default {true}
   */
  lossless?: boolean;
  /** The largest datagram, in bytes. @default {65507} */
  largest?: number;
  /**
   * Whether a datagram may hold any byte; else all but a newline, which is
   * refused.
   * @default {true}
   */
  binary?: boolean;
  /**
   * Whether a send to an address that nobody has bound resolves; `undefined`
   * where it depends on whether the system has learned of it.
   * @default {true}
   */
  sendsToNobody?: boolean | undefined;
  /** Runs one test: prepares what it needs, and cleans up. @default {just runs it} */
  around?: (test: () => Promise<void>) => Promise<void>;
}

/** What the tests use: a socket, and how to make clients of it. */
interface Ends {
  socket: DatagramSocket;
  client: ConnectedSocket;
  another(): Promise<ConnectedSocket>;
  /** Sends, and receives it at the socket: again where the carrier may lose it. */
  pass(
    message: Uint8Array | string,
    from?: ConnectedSocket,
  ): Promise<Datagram<NetAddr>>;
}

// How long a datagram may take before a carrier that loses some is asked again.
const AGAIN_MS = 250;
const TRIES = 40;
const NEWLINE = 0x0a;

/**
 * Registers the tests that any carrier must pass to be used here. What a
 * carrier cannot do, it declares; it is then tested as declared.
 *
 * @param name What the tests' names begin with.
 * @param source Makes the source anew for each test.
 *
 * @example
 * ```ts ignore
 * import { carrierContract } from "@pli/datagram/testing";
 *
 * carrierContract("my carrier", () => myCarrier(), { ordered: false });
 * ```
 */
export function carrierContract(
  name: string,
  source: () => CarrierSource,
  options: ContractOptions = {},
): void {
  const {
    address = () => "udp://127.0.0.1:0",
    answers = true,
    ordered = true,
    lossless = true,
    largest = 65_507,
    binary = true,
    around = (test) => test(),
  } = options;
  const sendsToNobody = "sendsToNobody" in options
    ? options.sendsToNobody
    : true;
  /** As the carrier can carry them. */
  const bytesFor = (bytes: Uint8Array) =>
    binary ? bytes : bytes.map((byte) => byte === NEWLINE ? 0 : byte);

  const promise = (
    what: string,
    test: (ends: Ends, carrier: CarrierSource, at: string) => Promise<void>,
    maxSize?: number,
  ) =>
    Deno.test(`${name}: ${what}`, () =>
      around(async () => {
        const carrier = source();
        const at = address();
        await using socket = bind(at, { carrier, maxSize });
        await socket.opened;
        await using more = new AsyncDisposableStack();
        const another = async () =>
          more.use(await connect(socket.addr, { carrier }));
        const client = await another();
        const pass: Ends["pass"] = async (message, from = client) => {
          for (let tries = 1; !lossless && tries < TRIES; tries++) {
            await from.send(message);
            const datagram = await within(socket, AGAIN_MS);
            if (datagram !== undefined) return datagram;
          }
          await from.send(message);
          return await socket.receive();
        };
        await test({ socket, client, another, pass }, carrier, at);
      }));

  promise("a datagram comes as it was sent", async ({ pass }) => {
    const datagram = await pass("Bonjour");
    assertEquals([datagram.text(), datagram.truncated], ["Bonjour", false]);
  });

  promise("one send is one receive, whatever the sizes", async ({ pass }) => {
    for (const size of [1, 2, 100, 1000, 3]) {
      const message = bytesFor(crypto.getRandomValues(new Uint8Array(size)));
      assertEquals((await pass(message)).data, message);
    }
  });

  promise("an empty datagram is a datagram", async ({ pass }) => {
    assertEquals((await pass("")).data.length, 0);
    assertEquals((await pass("next")).text(), "next");
  });

  const isRefused = async ({ client, pass }: Ends) => {
    await assertRejects(() => client.send("two\nlines"), TypeError, "newline");
    assertEquals(client.stats.sendFailed, 1);
    assertEquals((await pass("next")).text(), "next");
  };
  if (!binary) promise("a newline is refused, not split", isRefused);

  const atMost = async ({ client, pass }: Ends) => {
    const message = bytesFor(new Uint8Array(largest).map((_, i) => i * 7));
    assertEquals((await pass(message)).data, message);
    await assertRejects(
      () => client.send(new Uint8Array(largest + 1)),
      MessageTooLargeError,
    );
    assertEquals((await pass("next")).text(), "next");
  };
  promise(`${largest} bytes pass, one more is refused`, atMost, largest);

  promise(
    "what is as long as the limit passes whole, and what is longer is marked truncated",
    async ({ pass }) => {
      const whole = await pass("12345678");
      assertEquals([whole.text(), whole.truncated], ["12345678", false]);
      const cut = await pass("123456789");
      assertEquals([cut.text(), cut.truncated], ["12345678", true]);
    },
    8,
  );

  if (lossless) {
    promise(
      "the sender may use its bytes again once they are sent",
      async (ends) => {
        const { socket, client } = ends;
        const bytes = new Uint8Array([1, 2, 3]);
        await client.send(bytes);
        bytes.fill(9);
        assertEquals((await socket.receive()).data, new Uint8Array([1, 2, 3]));
      },
    );
  }

  const inOrder = ordered ? "in order" : "in any order";
  const all = lossless ? "each of" : "no more than";
  promise(
    `${all} 100 datagrams that are sent come, ${inOrder}`,
    async (ends) => {
      const { socket, client } = ends;
      const sent = Array.from({ length: 100 }, (_, i) => `${i}`);
      const received: string[] = [];
      for (let i = 0; i < sent.length; i += 10) {
        await Promise.all(
          sent.slice(i, i + 10).map((text) => client.send(text)),
        );
        for (let n = 0; n < 10; n++) {
          const datagram = lossless
            ? await socket.receive()
            : await within(socket, AGAIN_MS);
          if (datagram !== undefined) received.push(datagram.text());
        }
      }
      const came = sent.filter((text) => received.includes(text));
      if (lossless) assertEquals(came, sent);
      assertEquals(received.length, came.length);
      const expected = ordered ? came : received.toSorted();
      assertEquals(ordered ? received : came.toSorted(), expected);
    },
  );

  promise("a receive that gives up takes no datagram with it", async (ends) => {
    const { socket, pass } = ends;
    await assertRejects(
      () => socket.receive({ timeoutMs: 10 }),
      errors.TimedOut,
    );
    assertEquals((await pass("later")).text(), "later");
    assertEquals(socket.stats.received, 1);
  });

  promise(
    "closing ends a waiting receive, and may be done twice",
    async (ends) => {
      const { socket, client } = ends;
      const receiving = assertRejects(
        () => socket.receive(),
        SocketClosedError,
      );
      socket.close();
      socket.close();
      await receiving;
      await assertRejects(() => socket.receive(), SocketClosedError);
      client.close();
      client.close();
      await assertRejects(() => client.send("x"), SocketClosedError);
    },
  );

  promise("an address that is bound is in use", async ({ socket }, carrier) => {
    await assertRejects(async () => {
      await using second = bind(socket.addr, { carrier });
      await second.opened;
    }, errors.AddrInUse);
  });

  promise("an address is free again at once", async (ends, carrier) => {
    const { socket, client } = ends;
    client.close();
    const { addr } = socket;
    socket.receive().catch(() => {});
    await socket[Symbol.asyncDispose]();
    await using again = bind(addr, { carrier });
    await again.opened;
    assertEquals(again.addr, addr);
  });

  promise(
    "a send to nobody leaves the socket as it is",
    async (ends, carrier) => {
      const { pass } = ends;
      const gone = bind(address(), { carrier });
      await gone.opened;
      await using client = await connect(gone.addr, { carrier });
      await gone[Symbol.asyncDispose]();
      const sent = await client.send("x").then(() => true, () => false);
      assertEquals(sent, sendsToNobody ?? sent);
      const { sent: n, sendFailed } = client.stats;
      assertEquals([n, sendFailed], sent ? [1, 0] : [0, 1]);
      assertEquals((await pass("x")).text(), "x");
    },
  );

  promise("two peers reach one socket", async ({ another, client, pass }) => {
    const other = await another();
    assertEquals((await pass("a", client)).text(), "a");
    assertEquals((await pass("b", other)).text(), "b");
  });

  if (answers) {
    promise(
      "each peer gets its own answer",
      async ({ socket, client, another, pass }) => {
        const clients = [client, await another()];
        for (const [i, peer] of clients.entries()) {
          for (let tries = 1;; tries++) {
            const { data, from } = await pass(`${i}`, peer);
            await socket.send(data, from);
            const answer = await within(peer, lossless ? Infinity : AGAIN_MS);
            if (answer === undefined && tries < TRIES) continue;
            assertEquals(answer?.text(), `${i}`);
            break;
          }
        }
        for (const peer of clients) {
          const { received, dropped } = peer.stats;
          assertEquals([received > 0, dropped.stranger], [true, 0]);
        }
      },
    );
  } else {
    promise(
      "a bound socket says that it cannot answer",
      async ({ socket, pass }) => {
        const { from } = await pass("x");
        await assertRejects(
          () => socket.send("y", from),
          errors.NotSupported,
        );
        assertEquals(socket.stats.sendFailed, 1);
        assertEquals((await pass("z")).text(), "z");
      },
    );
  }

  promise(
    `${all} 100 messages of sendMany come by the batch, ${inOrder}`,
    async ({ socket, client }) => {
      const sent = Array.from({ length: 100 }, (_, i) => `${i}`);
      const sending = client.sendMany(sent);
      const received: string[] = [];
      const batches = socket.batches({
        max: 10,
        timeoutMs: lossless ? Infinity : AGAIN_MS,
      });
      try {
        for await (const batch of batches) {
          assert(batch.length >= 1 && batch.length <= 10);
          received.push(...batch.map((datagram) => datagram.text()));
          if (received.length === sent.length) break;
        }
      } catch (error) {
        if (!(error instanceof errors.TimedOut)) throw error;
      }
      assertEquals(await sending, sent.length);
      const came = sent.filter((text) => received.includes(text));
      if (lossless) assertEquals(came, sent);
      assertEquals(
        ordered ? received : received.toSorted(),
        ordered ? came : came.toSorted(),
      );
    },
  );

  promise("what came adds up", async ({ socket, client, pass }) => {
    for (let n = 0; n < 5; n++) await pass(`${n}`);
    await client.send("unread");
    await socket.tryReceive();
    const { received, waiting, bytes, dropped } = socket.stats;
    assert(received >= 5 && received + waiting <= client.stats.sent);
    assert(bytes >= 5);
    assertEquals(dropped.stranger, 0);
  });
}

async function within<A extends Addr>(
  socket: { receive(options: { timeoutMs: number }): Promise<Datagram<A>> },
  timeoutMs: number,
): Promise<Datagram<A> | undefined> {
  try {
    return await socket.receive({ timeoutMs });
  } catch (error) {
    if (error instanceof errors.TimedOut) return undefined;
    throw error;
  }
}
