// @ts-check
/// <reference lib="dom" />
/** Follows the stream of events while the tab is seen, together with other tabs. */
import { follow } from "./stream.js";

/** @import { Following, Handlers, OnState } from "./stream.js" */

/**
 * Follows the stream. A tab that is hidden gets no events; when it is seen again, it
 * gets those that it missed, and perhaps some that it has.
 *
 * @param {Handlers & { reset: () => void }} handlers
 * @param {OnState} onState
 */
export function followWhileSeen(handlers, onState) {
  let following = "SharedWorker" in globalThis
    ? shared(handlers, onState, () => {
      following = follow(handlers, onState);
      update();
    })
    : follow(handlers, onState);

  function update() {
    if (document.hidden) following.stop();
    else following.start();
  }

  document.addEventListener("visibilitychange", update);
  globalThis.addEventListener("pageshow", update);
  globalThis.addEventListener("pagehide", () => following.stop());
  update();
}

/**
 * Follows the stream of all tabs.
 *
 * @param {Handlers & { reset: () => void }} handlers
 * @param {OnState} onState
 * @param {() => void} onFail Called if the browser cannot share it.
 * @returns {Following}
 */
function shared(handlers, onState, onFail) {
  const worker = new SharedWorker("hub.js", { type: "module" });
  const { port } = worker;
  worker.addEventListener("error", onFail, { once: true });
  let knownLog = "";
  port.onmessage = ({ data: [name, data] }) => {
    if (name === "state") onState(.../** @type {Parameters<OnState>} */ (data));
    else if (name !== "log") handlers[name]?.(data);
    else if (data !== knownLog) {
      knownLog = data;
      handlers.reset();
    }
  };
  return {
    start: () => port.postMessage("seen"),
    stop: () => port.postMessage("hidden"),
  };
}
