import { assertEquals, assertMatch } from "@std/assert";
import type { Page } from "../lib/sinks/page.ts";
import { textOf } from "../lib/sinks/page/body.ts";
import { httpServer } from "../lib/sinks/page/http.ts";
import { type ConnectionLimits, Listener } from "../lib/sinks/page/listener.ts";
import { Warnings } from "../lib/warnings.ts";
import { net, turn } from "./support/helpers.ts";
import { EventReader, message, withPage } from "./support/pages.ts";

const LIMITS: ConnectionLimits = {
  all: 100,
  perSource: 100,
  headMs: 30_000,
  readMs: 30_000,
  retryMs: 1,
  calmMs: 0,
};

/** Serves requests within limits; closes everything after the test. */
async function withListener(
  limits: Partial<ConnectionLimits>,
  respond: (
    request: Request,
    completed: Promise<void>,
  ) => Response | Promise<Response>,
  run: (listener: Listener, said: string[]) => Promise<void>,
): Promise<void> {
  const said: string[] = [];
  const listener = new Listener(
    net("127.0.0.1", 0),
    httpServer(async (...given) => await respond(...given)),
    { ...LIMITS, ...limits },
    new Warnings((line) => void said.push(line)),
  );
  try {
    await run(listener, said);
  } finally {
    await listener.close();
    listener.closeConnections();
    while (listener.size > 0) await turn();
  }
}

const ok = () => new Response("ok");

/** A connection of a browser, and what it sends at first. */
async function dial({ address }: Listener, text = ""): Promise<Deno.TcpConn> {
  const { hostname, port } = address;
  const conn = await Deno.connect({ hostname, port });
  if (text !== "") await conn.write(new TextEncoder().encode(text));
  return conn;
}

async function dialPage({ url }: Page): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(url);
  return await Deno.connect({ hostname, port: Number(port) });
}

/** All that arrives until the connection is closed. */
async function rest(conn: Deno.Conn): Promise<string> {
  return await new Response(conn.readable).text().catch(() => "");
}

async function sizeIs(listener: Listener, size: number): Promise<void> {
  while (listener.size !== size) await turn();
}

/** The status of a request on a connection that stays open. */
async function statusOn(conn: Deno.Conn): Promise<string> {
  await conn.write(
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
  );
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!text.endsWith("\r\n0\r\n\r\n")) {
    const length = await conn.read(buffer);
    if (length === null) return "closed";
    text += new TextDecoder().decode(buffer.subarray(0, length));
  }
  return text.split(" ")[1] ?? "";
}

Deno.test("a connection without a request, or with half a head, is closed in time", () =>
  withListener({ headMs: 50 }, ok, async (listener) => {
    const halves = ["", "G", "GET / HTTP/1.1\r\nHost: a\r\n"];
    const closed = halves.map(async (text) => rest(await dial(listener, text)));
    assertEquals(await Promise.all(closed), ["", "", ""]);
    await sizeIs(listener, 0);
  }));

Deno.test("a connection that was used is closed when no further request comes", () =>
  withListener({ headMs: 1000 }, ok, async (listener) => {
    const conn = await dial(listener);
    assertEquals(await statusOn(conn), "200");
    assertEquals(await statusOn(conn), "200");
    await rest(conn);
    await sizeIs(listener, 0);
  }));

Deno.test("half a body is closed in time after its response", () =>
  withListener({ headMs: 1000 }, ok, async (listener) => {
    const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf";
    assertMatch(await rest(await dial(listener, head)), /^HTTP\/1.1 200 /);
    await sizeIs(listener, 0);
  }));

Deno.test("half a body that is waited for ends in time, with its connection", async () => {
  const read = async (request: Request) => {
    const body = await textOf(request, 1000, 50);
    return body instanceof Response ? body : new Response(body);
  };
  await withListener({}, read, async (listener) => {
    const head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
    assertMatch(await rest(await dial(listener, `${head}half`)), / 408 /);
    const whole = await rest(
      await dial(
        listener,
        `${head.replace("a\r", "a\r\nConnection: close\r")}all of it`,
      ),
    );
    assertMatch(whole, / 200 .*all of it/s);
    await sizeIs(listener, 0);
  });
});

Deno.test("requests on one connection that are never answered end with it", async () => {
  let atWork = 0;
  const never = (_: Request, completed: Promise<void>) => {
    atWork++;
    completed.then(() => void atWork--);
    return new Promise<Response>(() => {});
  };
  await withListener({}, never, async (listener) => {
    const conn = await dial(
      listener,
      "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(50),
    );
    while (atWork < 50) await turn();
    conn.close();
    while (atWork > 0) await turn();
  });
});

Deno.test("a request that is at work has all the time that it needs", async () => {
  const work = Promise.withResolvers<Response>();
  const started = Promise.withResolvers<void>();
  const respond = () => {
    started.resolve();
    return work.promise;
  };
  await withListener({ headMs: 1000 }, respond, async (listener) => {
    const conn = await dial(listener, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await started.promise;
    // It would have been closed with this one, which came later.
    await rest(await dial(listener));
    assertEquals(listener.size, 1);
    work.resolve(new Response("done"));
    assertMatch(await rest(conn), /done/);
  });
});

Deno.test("a browser that reads nothing for too long is disconnected", async () => {
  const chunk = new Uint8Array(64 * 1024);
  let cancelled = false;
  const endless = () =>
    new Response(
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(chunk),
        cancel: () => void (cancelled = true),
      }),
    );
  await withListener({ readMs: 50 }, endless, async (listener) => {
    using _ = await dial(listener, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    while (!cancelled) await turn();
    await sizeIs(listener, 0);
  });
});

Deno.test("of too many connections the longest idle one is closed, in all or per source", async () => {
  for (const limits of [{ all: 3 }, { perSource: 3 }]) {
    await withListener(limits, ok, async (listener) => {
      const used = await dial(listener);
      await sizeIs(listener, 1);
      const oldest = await dial(listener);
      await sizeIs(listener, 2);
      using _ = await dial(listener);
      await sizeIs(listener, 3);
      // Now it is the youngest.
      assertEquals(await statusOn(used), "200");
      using another = await dial(listener);
      assertEquals(await rest(oldest), "");
      assertEquals(await statusOn(another), "200");
      assertEquals(await statusOn(used), "200");
      assertEquals(listener.size, 3);
      used.close();
    });
  }
});

Deno.test("a connection at work is never closed for a new one, which is refused", async () => {
  const work = Promise.withResolvers<void>();
  let atWork = 0;
  const respond = async () => {
    atWork++;
    await work.promise;
    return new Response("done");
  };
  await withListener({ perSource: 2 }, respond, async (listener) => {
    const head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    const conns = [await dial(listener, head), await dial(listener, head)];
    while (atWork < 2) await turn();
    assertEquals(await rest(await dial(listener)), "");
    work.resolve();
    for (const conn of conns) assertMatch(await rest(conn), /done/);
  });
});

/** Makes the next connections fail to be accepted, with these codes. */
function failAccept(codes: (string | undefined)[]): Disposable & {
  /** How many times a port was opened. */
  readonly listened: number;
} {
  const { listen } = Deno;
  let listened = 0;
  const failing = (options: Deno.TcpListenOptions) => {
    listened++;
    const listener = listen(options);
    const accept = listener.accept.bind(listener);
    listener.accept = () => {
      if (codes.length === 0) return accept();
      const code = codes.shift();
      return Promise.reject(Object.assign(new Error("no room"), { code }));
    };
    return listener;
  };
  Object.assign(Deno, { listen: failing });
  return {
    get listened() {
      return listened;
    },
    [Symbol.dispose]: () => void Object.assign(Deno, { listen }),
  };
}

Deno.test("whatever fails while it accepts is reported once, and it goes on", async () => {
  using ports = failAccept(["EMFILE", "EMFILE", "EINVAL", "ENFILE", undefined]);
  await withListener({ calmMs: 1 }, ok, async (listener, said) => {
    // While it opens its port again, connections are refused.
    const dialed = () => dial(listener).catch(() => undefined);
    while (said.length < 2) (await dialed())?.close();
    using conn = await dial(listener);
    assertEquals(await statusOn(conn), "200");
    assertEquals(said, [
      "the page accepts no connections: no room; trying again",
      "the page accepts connections again",
    ]);
    assertEquals(ports.listened, 3);
  });
});

Deno.test("connections that end before they are accepted are no trouble, and the port stays open", async () => {
  using ports = failAccept([
    "ENOTCONN",
    "ECONNABORTED",
    "ECONNRESET",
    "EPROTO",
  ]);
  await withListener({}, ok, async (listener, said) => {
    using conn = await dial(listener);
    assertEquals(await statusOn(conn), "200");
    assertEquals([said, ports.listened], [[], 1]);
  });
});

Deno.test("a page that is full of idle connections still responds, and shows messages", () =>
  withPage(async (page) => {
    await using reader = await EventReader.open(page);
    await reader.named("start");
    const idle = [];
    for (let i = 0; i < 300; i++) idle.push(await dialPage(page));
    const health = await fetch(new URL("/health", page.url));
    assertEquals(await health.text(), "ok\n");
    page.write([message(1)]);
    await reader.until(1);
    for (const conn of idle) conn.close();
  }));
