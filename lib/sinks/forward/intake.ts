import type { Clock } from "../../clock.ts";
import { Bucket } from "../../limits/rate.ts";
import type { Message } from "../../sink.ts";
import type { Destination } from "./destination.ts";
import { type Loops, loopsOf } from "./loops.ts";
import { Queue } from "./queue.ts";
import type { Settings } from "./settings.ts";
import type { Troubles } from "./troubles.ts";

/** Decides which messages wait for a destination, and counts the others. */
export class Intake {
  readonly queue: Queue;
  readonly dropped = {
    "dropped.queue": 0,
    "dropped.rate": 0,
    "dropped.loop": 0,
  };
  readonly #destination: Destination;
  readonly #settings: Settings;
  readonly #troubles: Troubles;
  readonly #clock: Clock;
  readonly #bucket: Bucket | undefined;
  readonly #loops: Loops;

  constructor(
    destination: Destination,
    settings: Settings,
    troubles: Troubles,
  ) {
    const { socket, limit, maxQueued, maxQueuedBytes } = settings;
    this.queue = new Queue(maxQueued, maxQueuedBytes);
    this.#destination = destination;
    this.#settings = settings;
    this.#troubles = troubles;
    this.#clock = socket.clock;
    this.#bucket = limit && new Bucket(limit, socket.clock.now());
    this.#loops = loopsOf(socket);
    this.#loops.add(destination);
  }

  /**
   * Takes a message.
   *
   * @throws {TypeError} It is not what it should be.
   */
  add(message: Message): void {
    if (this.#loops.has(message.datagram.from)) {
      this.dropped["dropped.loop"]++;
      const what = "messages from a destination are not forwarded";
      this.#troubles.begin("loop", what);
    } else if (this.#bucket?.take(this.#clock.now()) === false) {
      this.dropped["dropped.rate"]++;
      const { perSecond } = this.#settings.limit!;
      this.#troubles.begin(
        "rate",
        `messages beyond ${perSecond}/s are dropped`,
      );
    } else if (!this.queue.add(message)) {
      this.dropped["dropped.queue"]++;
      const what = "no more messages can wait, they are dropped";
      this.#troubles.begin("queue", what);
    }
  }

  /** Nothing more is taken. @returns How many messages waited. */
  close(): number {
    this.#loops.delete(this.#destination);
    return this.queue.clear();
  }
}
