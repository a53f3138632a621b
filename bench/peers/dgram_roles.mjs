// The roles of `node:dgram`, and of what has its interface.
import { counted, listening, play, report, RoundTrips } from "./meter.mjs";

// Sent in one turn of the event loop.
const BURST = 64;

/**
 * Plays the role that the command line names.
 *
 * @param {(type: "udp4") => import("node:dgram").Socket} createSocket
 */
export function playDgram(createSocket) {
  const socket = createSocket("udp4");

  return play({
    receive({ seconds }) {
      socket.on("message", (received) => {
        counted.datagrams++;
        counted.bytes += received.length;
      });
      listen(() => report(seconds));
    },
    send({ data, size, seconds, port }) {
      /** @param {Error | null} error */
      const sent = (error) => {
        if (error) return;
        counted.datagrams++;
        counted.bytes += size;
      };
      // The next turn follows the last send of a burst.
      const burst = () => {
        for (let n = 1; n < BURST; n++) socket.send(data, sent);
        socket.send(data, (error) => {
          sent(error);
          setImmediate(burst);
        });
      };
      connect(port, () => {
        report(seconds);
        burst();
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
