import type { MeasureInterval, MeasureResult } from "../../measure/result.ts";
import type { Access } from "../../sinks/page/access.ts";
import { ASSETS } from "../../sinks/page/assets.ts";
import { refuse, respond } from "../../sinks/page/responses.ts";
import { Site, type SiteOptions } from "../../sinks/page/site.ts";
import html from "./assets/index.html" with { type: "text" };
import script from "./assets/measure.js" with { type: "text" };
import style from "./assets/measure.css" with { type: "text" };
import { PageFeed } from "./page_feed.ts";

const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";

const FILES: ReadonlyMap<string, { text: string; contentType: string }> =
  new Map([
    ["/", { text: html, contentType: "text/html; charset=utf-8" }],
    ["/measure.js", { text: script, contentType: SCRIPT }],
    ["/measure.css", { text: style, contentType: STYLE }],
    ...["/style.css", "/uplot.css", "/uplot.js"].map((path) =>
      [path, ASSETS.get(path)!] as const
    ),
  ]);

/**
 * A live page of a measurement: a line per second, and the result. It can only be
 * read. Browsers delay nothing.
 */
export class MeasurePage {
  readonly #feed: PageFeed;
  readonly #site: Site;

  /**
   * @param to What is measured.
   * @throws As `Site`.
   */
  constructor(to: string, options: SiteOptions) {
    this.#feed = new PageFeed({ to });
    this.#site = new Site(options, (access) => this.#handler(access));
  }

  /** The URL, for a browser on this machine. */
  get url(): string {
    return this.#site.url;
  }

  /** Shows an interval. */
  interval(interval: MeasureInterval): void {
    this.#feed.send("interval", interval);
  }

  /** Shows the result, if there is one, and ends. */
  async close(result: MeasureResult | undefined): Promise<void> {
    if (result !== undefined) this.#feed.send("result", result);
    await this.#site.close(() => this.#feed.close());
  }

  #handler(access: Access) {
    return async (request: Request): Promise<Response> => {
      const url = new URL(request.url);
      const refused = await access.check(request, url);
      if (refused !== undefined) return refused;
      const { method } = request;
      if (method !== "GET" && method !== "HEAD") {
        const headers = { "Allow": "GET, HEAD" };
        return refuse(405, "allowed methods: GET, HEAD", headers);
      }
      if (url.pathname === "/events") return this.#events(method);
      const file = FILES.get(url.pathname);
      return file === undefined
        ? refuse(404, "not found")
        : respond(file.text, file.contentType);
    };
  }

  #events(method: string): Response {
    // A stream without a reader must not begin.
    const body = method === "HEAD" ? null : this.#feed.open();
    if (body === undefined) {
      return refuse(503, "too many pages are open", { "Retry-After": "10" });
    }
    // A proxy that buffers would hold the events back.
    const headers = { "X-Accel-Buffering": "no" };
    return respond(body as BodyInit | null, "text/event-stream", { headers });
  }
}
