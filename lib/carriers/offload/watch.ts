/** A socket, and what it waits for. */
export class Watch {
  readonly fd: number;
  /** Called when there may be something to read; set while that is awaited. */
  reader: (() => void) | undefined;
  /** Called when there may be room to send; set while that is awaited. */
  writer: (() => void) | undefined;
  /** Whether waiting for something to read keeps the program running. */
  isReferenced = true;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Whether it waits for anything. */
  get waits(): boolean {
    return this.reader !== undefined || this.writer !== undefined;
  }

  /** Whether it keeps the program running. A send that waits always does. */
  get holds(): boolean {
    return this.writer !== undefined ||
      this.reader !== undefined && this.isReferenced;
  }
}
