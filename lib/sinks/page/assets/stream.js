// @ts-check
/// <reference lib="dom" />
/** The stream of events, which is opened again whatever ended it. */

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 10_000;

/**
 * @typedef {Record<string, (data: any) => void>} Handlers By the event's name.
 *
 * @typedef {(state: "live" | "waiting", text: string) => void} OnState
 *
 * @typedef {object} Following
 * @property {() => void} start Opens the stream, and again each time it ends.
 * @property {() => void} stop Closes it, until it is started again.
 */

/**
 * Returns a stream that is not open yet. Each time it opens, it continues after the
 * last event.
 *
 * @param {Handlers} handlers
 * @param {OnState} onState
 * @returns {Following}
 */
export function follow(handlers, onState) {
  let lastEventId = "";
  let retryMs = FIRST_RETRY_MS;
  let live = false;
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function open() {
    const query = lastEventId === ""
      ? ""
      : `?last=${encodeURIComponent(lastEventId)}`;
    const opened = new EventSource(`events${query}`);
    source = opened;
    for (const [name, handler] of Object.entries(handlers)) {
      opened.addEventListener(name, (event) => {
        // Events without an id leave it as it was.
        lastEventId = event.lastEventId || lastEventId;
        handler(JSON.parse(event.data));
      });
    }
    opened.addEventListener("open", () => {
      live = true;
      retryMs = FIRST_RETRY_MS;
      onState("live", "Live");
    });
    opened.addEventListener("error", () => {
      onState(
        "waiting",
        live
          ? "Connection lost, reconnecting…"
          : "No connection, reconnecting…",
      );
      // The browser reconnects, unless the server responded with an error.
      if (opened.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    });
  }

  return {
    start() {
      if (source === undefined) open();
    },
    stop() {
      source?.close();
      source = undefined;
      clearTimeout(timer);
    },
  };
}
