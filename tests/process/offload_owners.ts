// Deno owns each descriptor: whatever ends a socket, nothing stays open.
import {
  assert,
  assertEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { bind, connect, type ConnectedSocket } from "../../mod.ts";
import { offload } from "../../lib/carriers/offload.ts";
import { LOOPBACK, SOON, until } from "../support/helpers.ts";
import { run } from "./support/programs.ts";

const SCRIPT = new URL("./support/offload_worker.ts", import.meta.url);

interface Settings {
  port?: number;
  reusePort?: boolean;
  fails?: boolean;
}

/** A worker with a socket of its own. */
class Counter {
  received = 0;
  readonly #worker = new Worker(SCRIPT, { type: "module" });
  readonly #opened = Promise.withResolvers<number>();
  readonly #failed = Promise.withResolvers<void>();

  constructor({ port = 0, reusePort = true, fails = false }: Settings = {}) {
    this.#worker.onmessage = ({ data }) => {
      if (data.port === undefined) this.received++;
      else this.#opened.resolve(data.port);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#failed.resolve();
    };
    this.#worker.postMessage({ port, reusePort, fails });
  }

  get opened(): Promise<number> {
    return this.#opened.promise;
  }

  /** Resolves when it ended by an error. */
  get failed(): Promise<void> {
    return this.#failed.promise;
  }

  end(): void {
    this.#worker.terminate();
  }
}

/** Waits until so many sockets share a port: a worker takes a while to end. */
async function sharing(port: number, count: number): Promise<void> {
  const local = port.toString(16).toUpperCase().padStart(4, "0");
  const row = new RegExp(`^ *\\d+: 0100007F:${local} `, "gm");
  await until(async () => {
    const cat = new Deno.Command("cat", { args: ["/proc/net/udp"] });
    const { stdout } = await cat.output();
    const rows = new TextDecoder().decode(stdout).match(row) ?? [];
    return rows.length === count;
  });
}

Deno.test("a worker that ends leaves its share of a port to the others", async () => {
  const first = new Counter();
  const port = await first.opened;
  const second = new Counter({ port });
  await second.opened;
  await using stack = new AsyncDisposableStack();
  const clients: ConnectedSocket[] = [];
  for (let n = 0; n < 40; n++) {
    clients.push(stack.use(await connect(`udp://127.0.0.1:${port}`)));
  }
  const all = async (...counters: Counter[]) => {
    const sum = () => counters.reduce((sum, { received }) => sum + received, 0);
    const before = sum();
    for (const client of clients) await client.send("x");
    await until(() => sum() - before === clients.length);
    return sum() - before;
  };
  assertEquals(await all(first, second), 40);
  first.end();
  await sharing(port, 1);
  assertEquals(await all(second), 40);
  const third = new Counter({ port });
  await third.opened;
  assertEquals(await all(second, third), 40);
  second.end();
  third.end();
});

for (const how of ["is terminated", "throws"]) {
  Deno.test(`a worker that ${how} frees its port`, async () => {
    const worker = new Counter({ reusePort: false, fails: how === "throws" });
    const port = await worker.opened;
    assertThrows(
      () => bind(`udp://127.0.0.1:${port}`, { carrier: offload() }),
      Deno.errors.AddrInUse,
    );
    if (how === "throws") {
      await using client = await connect(`udp://127.0.0.1:${port}`);
      await client.send("x");
      await worker.failed;
    }
    worker.end();
    await sharing(port, 0);
    bind(`udp://127.0.0.1:${port}`, { carrier: offload() }).close();
  });
}

Deno.test("closed sockets and ended workers leave what Deno's own UDP leaves", async () => {
  const script = "tests/process/support/offload_descriptors.ts";
  const open = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(script, args, {
      flags: ["--allow-all"],
    });
    assertEquals([code, stderr], [0, ""]);
    return JSON.parse(stdout);
  };
  const { closed, ended } = await open("udp");
  const own = await open("offload", `${closed}`, `${ended}`);
  assert(own.closed <= closed && own.ended <= ended);
});

/** Runs a program that binds an address, with a permission of its own. */
async function withNet(port: number, options: string, net: string) {
  const program = `
    import { bind } from "${import.meta.resolve("../../mod.ts")}";
    import { offload } from "${
    import.meta.resolve("../../lib/carriers/offload.ts")
  }";
    const carrier = offload(${options});
    await using socket = bind("udp://127.0.0.1:${port}", { carrier });
    await socket.send("to itself", socket.addr);
    console.log((await socket.receive()).text());
  `;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--unstable-net", "--allow-import"],
      ...["--allow-ffi", `--allow-net=${net}`],
      `data:application/typescript,${encodeURIComponent(program)}`,
    ],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return text(stdout) + text(stderr);
}

async function freePort(): Promise<number> {
  await using socket = bind(LOOPBACK);
  return socket.addr.port;
}

Deno.test("a permission for one port is enough to bind it", async () => {
  const port = await freePort();
  assertEquals(await withNet(port, "", `127.0.0.1:${port}`), "to itself\n");
});

Deno.test("to share a port takes the permission for any port of a local host", async () => {
  const port = await freePort();
  const reusePort = "{ reusePort: true }";
  assertStringIncludes(
    await withNet(port, reusePort, `127.0.0.1:${port}`),
    'Requires net access to "127.0.0.1:0"',
  );
  const net = `127.0.0.1:${port},[::1]:0`;
  assertEquals(await withNet(port, reusePort, net), "to itself\n");
});

Deno.test("a port is free as soon as close returns, also while others wait", async () => {
  await using other = bind(LOOPBACK, { carrier: offload() });
  const waiting = other.receive(SOON);
  for (let n = 0; n < 20; n++) {
    const socket = bind(LOOPBACK, { carrier: offload() });
    const { addr } = socket;
    const receiving = socket.receive().catch(() => {});
    if (n % 2 === 0) await new Promise((resolve) => setTimeout(resolve, n % 5));
    socket.close();
    bind(addr, { carrier: offload() }).close();
    await receiving;
  }
  await other.send("x", other.addr);
  assertEquals((await waiting).text(), "x");
});
