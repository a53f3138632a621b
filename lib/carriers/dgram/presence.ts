import { clearInterval, setInterval } from "../../platform.ts";
import { globals } from "../../runtime.ts";
import type { Socket } from "./module.ts";

// The longest that a timer can wait.
const LONG_MS = 2 ** 31 - 1;

/** Whether a socket keeps the program running. Each starts without. */
export interface Presence {
  hold(): void;
  release(): void;
}

/** Returns the presence of a socket. */
export function presenceOf(socket: Socket): Presence {
  return globals.Deno === undefined
    ? { hold: () => void socket.ref(), release: () => void socket.unref() }
    : byTimer();
}

/**
 * On Deno `ref` and `unref` have an effect only with the next datagram. No
 * upstream issue is known. Remove when a program ends after `unref` of a socket
 * that waits.
 */
function byTimer(): Presence {
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    hold: () => timer ??= setInterval(() => {}, LONG_MS),
    release() {
      clearInterval(timer);
      timer = undefined;
    },
  };
}
