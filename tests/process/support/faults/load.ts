const ADDRESS = { transport: "udp", hostname: "127.0.0.1" } as const;
// The size of a message tells which of its sender's it is.
const SMALLEST = 32;
const MESSAGES_PER_SENDER = 1200;
const PAUSE_MS = 4;

/** A receipt that a server has sent. */
export interface Receipt {
  readonly id: number;
  readonly text: string;
}

/** Sends messages, no two of which are equal, and takes the receipts. */
export class Load implements AsyncDisposable {
  readonly receipts: Receipt[] = [];
  /** What made no sense as a receipt. */
  readonly strange: string[] = [];
  readonly #name: string;
  readonly #port: number;
  readonly #senders: Sender[] = [];
  #running: Promise<unknown> | undefined;
  #isOn = false;
  #sent = 0;
  readonly #sinceMark = new Set<string>();
  #receiptsSinceMark = 0;

  /** @param name What each text begins with. */
  constructor(name: string, port: number) {
    this.#name = name;
    this.#port = port;
  }

  /** How many messages were sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** How many messages that were sent since the mark have receipts. */
  get receiptsSinceMark(): number {
    return this.#receiptsSinceMark;
  }

  /** Notes which messages are sent from now on. */
  mark(): void {
    this.#sinceMark.clear();
    this.#receiptsSinceMark = 0;
  }

  /** Whether that message was sent, by this load and as it is. */
  has(text: string): boolean {
    const [name, sender = "", k = ""] = text.trimEnd().split(" ");
    const { length = 0 } = this.#senders[Number(sender)]?.texts ?? [];
    return name === this.#name && Number(k) < length &&
      text === this.#textOf(Number(sender), Number(k));
  }

  /** Sends bursts of that many messages, from two sockets at a time. */
  start(burst: number): void {
    this.#isOn = true;
    this.#running = Promise.all([this.#run(burst), this.#run(burst)]);
  }

  /** Resolves when the last message is with the system. */
  async stop(): Promise<void> {
    this.#isOn = false;
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Promise.all(this.#senders.map((sender) => sender.close()));
  }

  async #run(burst: number): Promise<void> {
    let sender = this.#open();
    while (this.#isOn) {
      for (let n = 0; n < burst; n++) {
        if (sender.texts.length === MESSAGES_PER_SENDER) sender = this.#open();
        const text = this.#textOf(sender.number, sender.texts.length);
        sender.texts.push(text);
        this.#sinceMark.add(text);
        await sender.send(text);
        this.#sent++;
      }
      await new Promise((go) => setTimeout(go, PAUSE_MS));
    }
  }

  #open(): Sender {
    const sender = new Sender(this.#senders.length, this.#port, (data) => {
      const receipt = parse(data);
      const text = sender.texts[(receipt?.size ?? -1) - SMALLEST];
      if (receipt === undefined || text === undefined) this.strange.push(data);
      else {
        this.receipts.push({ id: receipt.id, text });
        if (this.#sinceMark.has(text)) this.#receiptsSinceMark++;
      }
    });
    this.#senders.push(sender);
    return sender;
  }

  #textOf(sender: number, k: number): string {
    return `${this.#name} ${sender} ${k} `.padEnd(SMALLEST + k, "x");
  }
}

/** A socket that sends, and takes what comes back. */
class Sender {
  readonly texts: string[] = [];
  readonly number: number;
  readonly #to: Deno.NetAddr;
  readonly #socket = Deno.listenDatagram({ ...ADDRESS, port: 0 });
  readonly #ended: Promise<void>;

  constructor(number: number, port: number, onReply: (data: string) => void) {
    this.number = number;
    this.#to = { ...ADDRESS, port };
    this.#ended = this.#receive(onReply);
  }

  async send(text: string): Promise<void> {
    await this.#socket.send(new TextEncoder().encode(text), this.#to);
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.#ended;
  }

  async #receive(onReply: (data: string) => void): Promise<void> {
    for await (const [data] of this.#socket) {
      onReply(new TextDecoder().decode(data));
    }
  }
}

function parse(data: string): { id: number; size: number } | undefined {
  const [, id, size] = /^\{"id":(\d+),"size":(\d+)\}$/.exec(data) ?? [];
  return id && size ? { id: Number(id), size: Number(size) } : undefined;
}
