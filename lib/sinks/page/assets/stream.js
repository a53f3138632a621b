// @ts-check
/// <reference lib="dom" />
/** The stream of events, which is opened again whatever ended it. */

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 10_000;

/**
 * Opens the stream, and again each time it ends.
 *
 * @param {Record<string, (data: any) => void>} handlers By the event's name.
 * @param {(state: "live" | "waiting", text: string) => void} onState
 */
export function follow(handlers, onState) {
  let lastEventId = "";
  let retryMs = FIRST_RETRY_MS;
  let live = false;

  function open() {
    const query = lastEventId === ""
      ? ""
      : `?last=${encodeURIComponent(lastEventId)}`;
    const source = new EventSource(`events${query}`);
    for (const [name, handler] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => {
        // Events without an id leave it as it was.
        lastEventId = event.lastEventId || lastEventId;
        handler(JSON.parse(event.data));
      });
    }
    source.addEventListener("open", () => {
      live = true;
      retryMs = FIRST_RETRY_MS;
      onState("live", "Live");
    });
    source.addEventListener("error", () => {
      onState(
        "waiting",
        live
          ? "Connection lost, reconnecting…"
          : "No connection, reconnecting…",
      );
      // The browser reconnects, unless the server responded with an error.
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(open, retryMs);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    });
  }

  open();
}
