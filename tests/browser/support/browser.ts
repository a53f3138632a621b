/// <reference lib="dom" />
import { assertEquals } from "@std/assert";
import { chromium, type Page as Tab } from "playwright-core";
import { type Page, page, type PageOptions } from "../../../lib/sinks/page.ts";
import type { CollectorStats, Message } from "../../../lib/sink.ts";
import { bind, connect, type ConnectedSocket } from "../../../mod.ts";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
];

// The longest that anything may take on a busy machine.
const TIMEOUT_MS = 120_000;

/** A socket, and a page that shows the datagrams that it receives. */
export class Collector implements AsyncDisposable {
  readonly page: Page;
  readonly #socket = bind("udp://127.0.0.1:0");
  readonly #ended: Promise<void>;
  readonly #answer: (text: string) => string | undefined;
  #lastId: number;

  constructor({ lastId = 0, answer, ...options }: CollectorOptions = {}) {
    this.#lastId = lastId;
    this.page = page({
      listen: "127.0.0.1:0",
      stats: () => Promise.resolve(this.stats),
      send: (text) => this.#request(text),
      ...options,
    });
    this.#answer = answer ?? (() => undefined);
    this.#ended = this.#run(options.store);
  }

  get stats(): CollectorStats {
    const { stats } = this.#socket;
    return { ...stats, sinks: { page: this.page.stats } };
  }

  /** Returns a peer that sends to the socket. */
  peer(): Promise<ConnectedSocket> {
    return connect(this.#socket.addr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket[Symbol.asyncDispose]();
    await this.#ended;
    await this.page.close();
  }

  async #run(store?: Message[]): Promise<void> {
    for await (const datagram of this.#socket) {
      const message = { id: ++this.#lastId, time: new Date(), datagram };
      store?.push(message);
      this.page.write([message]);
      const text = this.#answer(datagram.text());
      if (text !== undefined) await this.#socket.send(text, datagram.from);
    }
  }

  async #request(text: string) {
    await using client = await this.peer();
    const timeoutMs = this.#answer(text) === undefined ? 500 : TIMEOUT_MS;
    return await client.request(text, { timeoutMs }).catch((error) => {
      if (error instanceof Deno.errors.TimedOut) return undefined;
      throw error;
    });
  }
}

/** Options of a collector. */
export interface CollectorOptions extends Partial<PageOptions> {
  /** The number of the last message of an earlier run. @default {0} */
  lastId?: number;
  /** Returns the reply to a message. @default {none} */
  answer?: (text: string) => string | undefined;
  /** An array to put the messages in. */
  store?: Message[];
}

/** Options of a browser. */
export interface Look {
  width?: number;
  height?: number;
  colorScheme?: "light" | "dark";
  /** Console errors that the test causes on purpose. */
  expected?: RegExp;
}

/**
 * Opens a page in a tab of its own and waits until it is live.
 *
 * @param prepare What to do with the tab before.
 */
export type Open = (
  url: string,
  prepare?: (tab: Tab) => Promise<unknown>,
) => Promise<Tab>;

/**
 * Declares a test in a real browser. It fails if there is an error or a warning on
 * the console, if a dialog opens, or if the content security policy is violated.
 */
export function browserTest(
  promise: string,
  run: (open: Open) => Promise<void>,
  { width = 1440, height = 900, colorScheme = "light", expected }: Look = {},
): void {
  const missing = !isInstalled();
  Deno.test({
    name: missing ? `${promise} (needs ${CHROMIUM})` : promise,
    ignore: missing,
    async fn() {
      const browser = await chromium.launch({
        executablePath: CHROMIUM,
        args: FLAGS,
        timeout: TIMEOUT_MS,
      });
      const wrong: string[] = [];
      try {
        const context = await browser.newContext({
          viewport: { width, height },
          colorScheme,
        });
        context.setDefaultTimeout(TIMEOUT_MS);
        await run(async (url, prepare) => {
          const tab = await context.newPage();
          watch(tab, wrong);
          await prepare?.(tab);
          await tab.goto(url);
          await tab.getByText("Live", { exact: true }).waitFor();
          return tab;
        });
        const unexpected = wrong.filter((text) => !expected?.test(text));
        assertEquals(unexpected, []);
      } finally {
        await browser.close();
      }
    },
  });
}

function isInstalled(): boolean {
  try {
    return Deno.statSync(CHROMIUM).isFile;
  } catch {
    return false;
  }
}

/** Collects errors. A violated policy is an error on the console, too. */
function watch(tab: Tab, wrong: string[]): void {
  tab.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) {
      wrong.push(message.text());
    }
  });
  tab.on("pageerror", (error) => void wrong.push(String(error)));
  tab.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
}

/** Returns the texts of the messages that are shown, newest first. */
export function shownTexts(tab: Tab): Promise<string[]> {
  return tab.locator("#rows tr:not([hidden]) .payload").allInnerTexts();
}

/** Waits until `count` messages are shown. */
export async function waitForRows(tab: Tab, count: number): Promise<void> {
  await tab.waitForFunction(
    (count) =>
      document.querySelectorAll("#rows tr:not([hidden]) .payload").length ===
        count,
    count,
  );
}
