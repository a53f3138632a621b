// The roles of `node:dgram`, and of what has its interface.
import { counted, listening, play, report, RoundTrips } from "./meter.mjs";

// Sent in one turn of the event loop.
const BURST = 64;

/**
 * Plays the role that the command line names.
 *
 * @param {(options: import("node:dgram").SocketOptions) => import("node:dgram").Socket} createSocket
 */
export function playDgram(createSocket) {
  const socket = createSocket({ type: "udp4", lookup });

  return play({
    receive({ seconds }) {
      socket.on("message", (received) => {
        counted.datagrams++;
        counted.bytes += received.length;
      });
      listen(() => report(seconds));
    },
    send({ data, size, seconds, port }) {
      connect(port, () => {
        report(seconds);
        sendInBursts(size, (sent) => socket.send(data, sent));
      });
    },
    "send-to"({ data, size, seconds, port }) {
      socket.bind(0, "127.0.0.1", () => {
        report(seconds);
        sendInBursts(
          size,
          (sent) => socket.send(data, port, "127.0.0.1", sent),
        );
      });
    },
    echo() {
      socket.on("message", (received, from) => {
        socket.send(received, from.port, from.address);
      });
      listen(() => {});
    },
    ping({ data, seconds, port }) {
      connect(port, () => {
        const trips = new RoundTrips(seconds);
        socket.on("message", () => {
          if (trips.next()) socket.send(data);
        });
        socket.send(data);
      });
    },
  });

  /** @param {() => void} then */
  function listen(then) {
    socket.bind(0, "127.0.0.1", () => {
      listening(socket.address().port);
      then();
    });
  }

  /**
   * @param {number} port
   * @param {() => void} then
   */
  function connect(port, then) {
    socket.bind(0, "127.0.0.1", () => socket.connect(port, "127.0.0.1", then));
  }
}

/**
 * There is nothing to look up: hosts are addresses.
 *
 * @param {string} host
 * @param {unknown} _options
 * @param {(error: null, host: string, family: 4) => void} callback
 */
function lookup(host, _options, callback) {
  callback(null, host, 4);
}

/**
 * Sends without an end. The next turn follows the last send of a burst.
 *
 * @param {number} size
 * @param {(sent: (error: Error | null) => void) => void} send
 */
function sendInBursts(size, send) {
  /** @param {Error | null} error */
  const sent = (error) => {
    if (error) return;
    counted.datagrams++;
    counted.bytes += size;
  };
  const burst = () => {
    for (let n = 1; n < BURST; n++) send(sent);
    send((error) => {
      sent(error);
      setImmediate(burst);
    });
  };
  burst();
}
