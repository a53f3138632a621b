// Puts the facade in the place of `node:dgram` before one of Node's own tests
// runs: over the carrier that PLI_CARRIER names, `dgram` or the runtime's default.
import { createRequire } from "node:module";
import process from "node:process";
import { dgram } from "../../../mod.ts";
import { keepRealDgram } from "../../../lib/carriers/dgram/module.ts";
import { makeDgram } from "../../../lib/dgram/module.ts";
import { realGround } from "../../../lib/dgram/real_ground.ts";
import { FacadeSocket } from "../../../lib/dgram/socket.ts";

/** What a socket has for this module only. */
interface Parts {
  lookUp: (host: string, family: number, callback: unknown) => void;
  receiveFailed(cause: unknown): void;
  carrier: { send(): Promise<never> };
}

keepRealDgram();
const require = createRequire(import.meta.url);
const carrier = process.env["PLI_CARRIER"] === "dgram" ? dgram() : undefined;
const facade = makeDgram({
  ...realGround,
  open: (address, options, source) =>
    realGround.open(address, options, source ?? carrier),
});
Object.assign(require("node:dgram"), facade);

// Some tests make a socket fail by the handle that Node's own have: it stands
// for the same places of the facade.
const { kStateSymbol } = require("internal/dgram");
const states = new WeakMap<object, unknown>();
Object.defineProperty(FacadeSocket.prototype, kStateSymbol, {
  get(): unknown {
    if (!states.has(this)) states.set(this, { handle: handleOf(this) });
    return states.get(this);
  },
});

function handleOf(socket: Parts): object {
  const own = socket.lookUp;
  let lookup = (host: string, callback: unknown) => own(host, 4, callback);
  return {
    get lookup() {
      return lookup;
    },
    set lookup(replaced: (host: string, callback: unknown) => void) {
      lookup = replaced;
      socket.lookUp = (host, _, callback) => replaced(host, callback);
    },
    set send(_: unknown) {
      const error = Object.assign(new Error(), { code: "UNKNOWN" });
      socket.carrier.send = () => Promise.reject(error);
    },
    onmessage: () => socket.receiveFailed(new Error("(EPERM)")),
  };
}
