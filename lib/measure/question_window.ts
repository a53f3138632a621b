/** The most questions that a window holds, in numbers. */
export const WINDOW_LIMIT: number = 2 ** 21;

/** What is known of a question so far. */
export type QuestionState =
  | "waiting"
  | "expired"
  | "answered"
  | "late"
  | "not sent";

const STATES: readonly QuestionState[] = [
  "waiting",
  "expired",
  "answered",
  "late",
  "not sent",
];

/** A question that leaves the window. */
export interface OldQuestion {
  readonly number: number;
  readonly state: QuestionState;
  /** When it was sent. */
  readonly sent: number;
  /** When its first answer came; `NaN` if none did. */
  readonly received: number;
  /** How long the reflector had it. */
  readonly reflectorMs: number;
  /** The reflector's clock at its arrival less the own one when it was sent. */
  readonly out: number;
  /** How many further answers came. */
  readonly duplicates: number;
}

/**
 * The questions of late, by their numbers: bounded memory, however long it goes
 * on. Times are on the socket's clock.
 */
export class QuestionWindow {
  readonly #mask: number;
  readonly #sent: Float64Array<ArrayBuffer>;
  readonly #received: Float64Array<ArrayBuffer>;
  readonly #reflectorMs: Float64Array<ArrayBuffer>;
  readonly #out: Float64Array<ArrayBuffer>;
  readonly #answerTime: Float64Array<ArrayBuffer>;
  readonly #states: Uint8Array<ArrayBuffer>;
  readonly #duplicates: Uint16Array<ArrayBuffer>;
  #first = 0;
  #next = 0;
  #expired = 0;
  #waiting = 0;

  /** @param size How many questions it has to hold. */
  constructor(size: number) {
    const least = Math.min(Math.max(size, 64), WINDOW_LIMIT);
    const slots = 2 ** Math.ceil(Math.log2(least));
    this.#mask = slots - 1;
    const numbers = () => new Float64Array(slots);
    this.#sent = numbers();
    this.#received = numbers();
    this.#reflectorMs = numbers();
    this.#out = numbers();
    this.#answerTime = numbers();
    this.#states = new Uint8Array(slots);
    this.#duplicates = new Uint16Array(slots);
  }

  /** The oldest question that it holds. */
  get first(): number {
    return this.#first;
  }

  /** The number of the next question. */
  get next(): number {
    return this.#next;
  }

  /** How many questions wait for an answer. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Whether the oldest has to leave before another question fits. */
  get isFull(): boolean {
    return this.#next - this.#first > this.#mask;
  }

  /** Adds a question, which is sent now. @returns Its number. */
  add(sent: number): number {
    const number = this.#next++;
    const slot = this.#slot(number);
    this.#sent[slot] = sent;
    this.#received[slot] = NaN;
    this.#reflectorMs[slot] = NaN;
    this.#out[slot] = NaN;
    this.#duplicates[slot] = 0;
    this.#set(slot, "waiting");
    this.#waiting++;
    return number;
  }

  /** Marks a question that was not sent after all, unless it was answered. */
  fail(number: number): boolean {
    if (!this.has(number)) return false;
    const slot = this.#slot(number);
    const state = this.#stateAt(slot);
    if (state !== "waiting" && state !== "expired") return false;
    if (state === "waiting") this.#waiting--;
    this.#set(slot, "not sent");
    return true;
  }

  /** Whether it holds the question. */
  has(number: number): boolean {
    return number >= this.#first && number < this.#next;
  }

  /** Returns the number of a question whose last 32 bits are these. */
  unwrap(bits: number): number {
    return this.#next + (bits - this.#next | 0);
  }

  /** What is known of a question that it holds. */
  state(number: number): QuestionState {
    return this.#stateAt(this.#slot(number));
  }

  /** When a question was sent. */
  sent(number: number): number {
    return this.#sent[this.#slot(number)]!;
  }

  /** The reflector's time in the first answer to a question. */
  answerTime(number: number): number {
    return this.#answerTime[this.#slot(number)]!;
  }

  /** Notes the first answer to a question. */
  answer(
    number: number,
    state: "answered" | "late",
    { received, reflectorMs, out, time }: {
      received: number;
      reflectorMs: number;
      out: number;
      time: number;
    },
  ): void {
    const slot = this.#slot(number);
    if (this.#stateAt(slot) === "waiting") this.#waiting--;
    this.#set(slot, state);
    this.#received[slot] = received;
    this.#reflectorMs[slot] = reflectorMs;
    this.#out[slot] = out;
    this.#answerTime[slot] = time;
  }

  /** Notes a further answer to a question. */
  repeat(number: number): void {
    this.#duplicates[this.#slot(number)]! += 1;
  }

  /** Gives up waiting for answers to what was sent before a moment. */
  expire(before: number): void {
    this.#expired = Math.max(this.#expired, this.#first);
    for (; this.#expired < this.#next; this.#expired++) {
      const slot = this.#slot(this.#expired);
      if (this.#sent[slot]! >= before) return;
      if (this.#stateAt(slot) !== "waiting") continue;
      this.#set(slot, "expired");
      this.#waiting--;
    }
  }

  /** Whether the oldest question was sent before a moment. */
  isOlder(before: number): boolean {
    return this.#first < this.#next &&
      this.#sent[this.#slot(this.#first)]! < before;
  }

  /** Takes the oldest question out. */
  take(): OldQuestion {
    const number = this.#first++;
    const slot = this.#slot(number);
    const state = this.#stateAt(slot);
    if (state === "waiting") this.#waiting--;
    return {
      number,
      state,
      sent: this.#sent[slot]!,
      received: this.#received[slot]!,
      reflectorMs: this.#reflectorMs[slot]!,
      out: this.#out[slot]!,
      duplicates: this.#duplicates[slot]!,
    };
  }

  // The numbers may have more than 32 bits, of which `&` takes the last ones.
  #slot(number: number): number {
    return number & this.#mask;
  }

  #stateAt(slot: number): QuestionState {
    return STATES[this.#states[slot]!]!;
  }

  #set(slot: number, state: QuestionState): void {
    this.#states[slot] = STATES.indexOf(state);
  }
}
