import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AsyncResource } from "node:async_hooks";
import dgram from "node:dgram";
import os from "node:os";
import timers from "node:timers";
import promises from "node:timers/promises";
import fs from "node:fs";
import filesOfNode from "node:fs/promises";
import dns from "node:dns";
import { bind, connect } from "../mod.ts";
import { type RunOptions, simulateNetwork } from "../lib/testing/mod.ts";
import { consoleErrors } from "./support/helpers.ts";

const sleep = (ms: number) => new Promise((wake) => setTimeout(wake, ms));

// The first run loads modules of Node's, and Deno then changes globals itself.
await simulateNetwork().run(() => {});

/** Everything that a run may replace. */
function platform(): unknown[] {
  const members = [globalThis, Deno, timers, promises, timers.promises, fs]
    .concat(filesOfNode as never, dns as never, dns.promises as never)
    .concat(
      [Response, Request, Blob, SubtleCrypto, Deno.FsFile, Deno.Command]
        .concat(Deno.ChildProcess as never)
        // Where there is no Deno, it has none of them.
        .map((made) => made?.prototype ?? {}) as never,
    );
  return [...members, Math, AbortSignal, setTimeout, setImmediate]
    .map((owner) => Object.getOwnPropertyDescriptors(owner));
}

const ENDINGS: [string, () => unknown][] = [
  ["that returns", () => {}],
  ["that resolves", () => sleep(5)],
  ["that throws", () => {
    throw new Error("mine");
  }],
  ["that rejects", async () => {
    await sleep(5);
    throw new Error("mine");
  }],
  ["that is stuck", () => new Promise(() => {})],
  ["that is stuck with a job", () => simulateNetwork().real(hang)],
  ["that replaces setTimeout itself", () => {
    globalThis.setTimeout = (() => {}) as unknown as typeof setTimeout;
  }],
];
const hang = () => new Promise(() => {});

for (const [which, program] of ENDINGS) {
  Deno.test(`the platform is as before after a program ${which}`, async () => {
    const before = platform();
    const network = simulateNetwork({ stuckMs: 20 });
    await network.run(program).catch(() => {});
    assertEquals(platform(), before);
    await sleep(1);
  });
}

Deno.test("what a program replaces and puts back later does no harm", async () => {
  const network = simulateNetwork();
  const { setTimeout: mine } = globalThis;
  const put = await network.run(async () => {
    const { setTimeout: before } = globalThis;
    let calls = 0;
    globalThis.setTimeout = ((...args: Parameters<typeof setTimeout>) => {
      calls++;
      return before(...args);
    }) as typeof setTimeout;
    await sleep(1000);
    assertEquals([calls, performance.now()], [1, 1000]);
    return () => globalThis.setTimeout = before;
  });
  put();
  try {
    await sleep(1);
    assertEquals(await network.run(() => sleep(5)), undefined);
    assertEquals(network.clock.now(), 1005);
  } finally {
    globalThis.setTimeout = mine;
  }
});

Deno.test("a second run at once, or inside, is rejected, and the first goes on", async () => {
  const network = simulateNetwork();
  const first = network.run(async () => {
    await assertRejects(() => simulateNetwork().run(hang), Error, "another");
    await sleep(1000);
    return performance.now();
  });
  for (const options of [{}, { timers: "real" }, { random: "real" }]) {
    const error = await assertRejects(
      () => simulateNetwork().run(hang, options as RunOptions),
      Error,
    );
    assertEquals(
      error.message,
      "Cannot run a program in virtual time: another run is in progress in this " +
        `thread: await it first, or give both { timers: "real", random: "real" }`,
    );
  }
  assertEquals(await first, 1000);
});

Deno.test("runs that replace nothing can be at once, and inside another", async () => {
  const real = { timers: "real", random: "real" } as const;
  const run = () => simulateNetwork().run(() => sleep(1), real);
  await Promise.all([run(), run()]);
  await simulateNetwork().run(() => Promise.all([run(), run()]));
});

const THEIRS: [string, () => () => void][] = [
  ["setTimeout", () => {
    const { setTimeout: before } = globalThis;
    globalThis.setTimeout = (() => 1) as unknown as typeof setTimeout;
    return () => globalThis.setTimeout = before;
  }],
  ["Date", () => {
    const { Date: before } = globalThis;
    globalThis.Date = class extends Date {} as DateConstructor;
    return () => globalThis.Date = before;
  }],
  ["performance.now", () => {
    const { performance } = globalThis;
    const before = Object.getOwnPropertyDescriptor(performance, "now");
    performance.now = () => 0;
    return () =>
      before === undefined
        ? void Reflect.deleteProperty(performance, "now")
        : void Object.defineProperty(performance, "now", before);
  }],
  // As @sinonjs/fake-timers marks what it has replaced before anybody looked.
  ["setInterval", () => {
    const marked = setInterval as unknown as Record<string, unknown>;
    marked["clock"] = {};
    return () => void Reflect.deleteProperty(marked, "clock");
  }],
];
for (const [name, replace] of THEIRS) {
  Deno.test(`a run is rejected while somebody else has replaced ${name}`, async () => {
    const putBack = replace();
    try {
      const network = simulateNetwork();
      const error = await assertRejects(() => network.run(hang), Error);
      assertEquals(
        error.message,
        `Cannot run a program in virtual time: ${name} of the platform is ` +
          "replaced already, as by another library's fake timers: put it back " +
          `first, or give { timers: "real" }`,
      );
      assertEquals(await network.run(() => 5, { timers: "real" }), 5);
    } finally {
      putBack();
    }
    await simulateNetwork().run(() => {});
  });
}

for (
  const [options, message] of [
    [{ timers: "fake" }, 'timers must be "virtual" or "real": given "fake"'],
    [{ random: 5 }, 'random must be "seed" or "real": given 5'],
    [{ timer: "real" }, 'there is no option "timer"'],
    [null, "options must be an object: given null"],
  ] as [never, string][]
) {
  Deno.test(`run rejects options in one line: ${message}`, async () => {
    const error = await assertRejects(
      () => simulateNetwork().run(() => {}, options),
      Error,
    );
    assertEquals(error.message, `Cannot run: ${message}`);
  });
}

Deno.test("timers: real leaves timers and dates as they are", async () => {
  const before = platform().slice(2);
  const network = simulateNetwork();
  const start = Date.now();
  await network.run(async () => {
    assert(Date.now() >= start);
    await sleep(2);
  }, { timers: "real", random: "real" });
  assertEquals(network.clock.now(), 0);
  assertEquals(platform().slice(2), before);
});

Deno.test("timers and sockets that a program has left are reported, and never come", async () => {
  const network = simulateNetwork({ seed: 7 });
  await using before = bind("udp://10.0.0.1:1", { carrier: network });
  let came = 0;
  const calls = await consoleErrors(async () => {
    await network.run(() => {
      bind("udp://10.0.0.1:53", { carrier: network });
      setTimeout(() => came++, 1000);
      setInterval(() => came++, 10);
      setInterval(() => came++, 10).unref();
      AbortSignal.timeout(10);
    });
    await network.run(() => before.addr);
  });
  assertEquals(calls.length, 1);
  assertMatch(
    `${calls[0]}`,
    new RegExp(
      String.raw`^The program has left timers: setTimeout \(1000 ms, ` +
        String.raw`virtual_run_test.ts:\d+:\d+\), setInterval \(10 ms, ` +
        String.raw`virtual_run_test.ts:\d+:\d+\); open sockets: ` +
        String.raw`udp://10.0.0.1:53 \(\w+\) \(simulated network, seed 7\)$`,
    ),
  );
  await sleep(5);
  assertEquals(came, 0);
});

Deno.test("of many timers that are left the report has ten", async () => {
  const calls = await consoleErrors(() =>
    simulateNetwork().run(() => {
      for (let n = 0; n < 1000; n++) setTimeout(() => {}, 1000);
    })
  );
  assertMatch(`${calls[0]}`, / 990 more \(simulated network, seed 1\)$/);
});

Deno.test("a program that waits for a real job for too long is stuck, and told for which", async () => {
  const network = simulateNetwork({ seed: 7, stuckMs: 20, delayMs: RTT });
  const error = await assertRejects(() =>
    network.run(async () => {
      const server = bind("udp://10.0.0.1:53", { carrier: network });
      const client = await connect(server.addr, { carrier: network });
      setTimeout(() => {}, 1000).unref();
      await client.send("x");
      await network.real(hang);
    }), Error);
  assertMatch(
    error.message,
    new RegExp(
      String
        .raw`^The program is stuck: it waits for something real that does ` +
        String
          .raw`not end \(if it needs longer, raise stuckMs\): network\.real ` +
        String.raw`\(virtual_run_test\.ts:\d+:\d+\); open sockets: ` +
        String.raw`udp://10\.0\.0\.1:53 \(\w+\), udp://127\.0\.0\.1:49152 ` +
        String.raw`\(\w+\); planned timers: setTimeout \(1000 ms, ` +
        String.raw`virtual_run_test\.ts:\d+:\d+, unref\); datagrams in ` +
        String.raw`flight: 1 \(simulated network, seed 7\)$`,
    ),
  );
});
const RTT = { min: 50, max: 50 };

Deno.test("a program that has nothing but unref'ed timers is stuck", async () => {
  const error = await assertRejects(
    () =>
      simulateNetwork({ stuckMs: 20 }).run(async () => {
        setInterval(() => {}, 10).unref();
        const again = () => void setTimeout(again, 10).unref();
        again();
        await new Promise(() => {});
      }),
    Error,
  );
  // Which of the two comes next depends on when the program is found stuck.
  assertMatch(
    error.message,
    /planned timers: .*setInterval \(10 ms, .*unref\)/,
  );
});

Deno.test("a program that computes for longer than stuckMs is not stuck", async () => {
  const network = simulateNetwork({ stuckMs: 20 });
  assertEquals(
    await network.run(async () => {
      await network.real(() => {
        const until = performance.now() + 100;
        while (performance.now() < until);
      });
      return await network.real(() => Promise.resolve(5));
    }),
    5,
  );
});

Deno.test("a real job stops the time, whatever is planned", async () => {
  const network = simulateNetwork();
  await network.run(async () => {
    const winner = await Promise.race([
      sleep(1).then(() => "timer"),
      network.real(() => sleep(5)).then(() => "real"),
    ]);
    assertEquals([winner, network.clock.now()], ["real", 0]);
    await sleep(1);
  });
});

Deno.test("network.real passes on what its job returns or throws, also outside a run", async () => {
  const network = simulateNetwork();
  const mine = new Error("mine");
  const check = async () => {
    assertEquals(await network.real(() => 5), 5);
    const job = () => Promise.reject(mine);
    assert(await network.real(job).catch((error) => error) === mine);
    const caught = await network.real(() => {
      throw mine;
    }).catch((error) => error);
    assert(caught === mine);
    await assertRejects(() => network.real(5 as never), TypeError, "function");
  };
  await check();
  await network.run(check);
  assertEquals(mine.message, "mine");
});

Deno.test("a digest, a body and a blob are real jobs", async () => {
  await simulateNetwork().run(async () => {
    const late = sleep(1).then(() => "late");
    const jobs: (() => Promise<unknown>)[] = [
      () => crypto.subtle.digest("SHA-256", new Uint8Array(1e6)),
      () => new Response("x".repeat(1e6)).text(),
      () => new Blob(["x".repeat(1e6)]).arrayBuffer(),
    ];
    for (const job of jobs) {
      const result = await Promise.race([late, job()]);
      assert(result !== "late", `${job}`);
    }
    assertEquals(await late, "late");
  });
});

Deno.test("a job that rejects is passed on, and the time goes on", async () => {
  await simulateNetwork().run(async () => {
    const digest = crypto.subtle.digest as (...args: unknown[]) => unknown;
    const job = Reflect.apply(digest, crypto.subtle, ["MD4", new Uint8Array()]);
    await assertRejects(() => job as Promise<unknown>, DOMException);
    await sleep(5);
  });
});

Deno.test("a run begun in the context of another one's real job is virtual", async () => {
  const first = simulateNetwork();
  const later = await first.run(() =>
    first.host("10.0.0.2").run(() =>
      first.real(() => AsyncResource.bind((next: () => unknown) => next()))
    )
  );
  const network = simulateNetwork();
  await later(() =>
    network.run(async () => {
      await sleep(5000);
      const socket = dgram.createSocket("udp4").bind(7);
      await new Promise<void>((done) => void socket.on("listening", done));
      assertEquals(network.clock.now(), 5000);
      assertEquals(os.networkInterfaces()["eth0"], undefined);
      socket.close();
    }, { dgram: true })
  );
});
