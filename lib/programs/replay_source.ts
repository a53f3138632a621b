import { failure, quote } from "../errors.ts";
import { type Capture, readCapture, type Replayable } from "../capture.ts";
import { STANDARD_INPUT } from "./input.ts";

const SQLITE = "SQLite format 3\0";
// The store knows no receivers, and no addresses of unnamed peers.
const NOBODY = { transport: "udp", hostname: "0.0.0.0", port: 0 } as const;

/** What is replayed: a capture or a store. */
export interface ReplaySource extends AsyncIterable<Replayable> {
  /** Whether it knows to which port a datagram was sent. */
  readonly hasPorts: boolean;
  /** What it has besides the datagrams that it gives, by kind. */
  readonly left: Readonly<Record<string, number>>;
}

/**
 * Opens a capture or a store.
 *
 * @param path `-` is standard input: a capture.
 * @throws {Error} The file cannot be read; one line.
 */
export async function openSource(path: string): Promise<ReplaySource> {
  if (path === STANDARD_INPUT) {
    return fromCapture(readCapture(Deno.stdin.readable));
  }
  const attempt = `replay ${quote(path)}`;
  try {
    const file = await Deno.open(path);
    if (!await isStore(file)) return fromCapture(readCapture(file.readable));
    file.close();
  } catch (error) {
    throw failure(attempt, error);
  }
  const { StoreReader } = await import("../sinks/store/reader.ts");
  return fromStore(new StoreReader(path));
}

async function isStore(file: Deno.FsFile): Promise<boolean> {
  const { isFile, isDirectory } = await file.stat();
  if (isDirectory) throw new Error("it is a directory");
  // What comes by a pipe cannot be read twice.
  if (!isFile) return false;
  const start = new Uint8Array(SQLITE.length);
  await file.read(start);
  await file.seek(0, Deno.SeekMode.Start);
  return new TextDecoder().decode(start) === SQLITE;
}

function fromCapture(capture: Capture): ReplaySource {
  return {
    hasPorts: true,
    get left() {
      const { cut, malformed, incomplete, others } = capture.stats;
      return { cut, malformed, incomplete, ...others };
    },
    [Symbol.asyncIterator]: () => capture[Symbol.asyncIterator](),
  };
}

interface Reader extends Disposable {
  select(selection: object): Iterable<{
    time: Date;
    datagram: { from: object; data: Uint8Array; truncated: boolean };
  }>;
}

function fromStore(reader: Reader): ReplaySource {
  const left = { cut: 0 };
  return {
    hasPorts: false,
    left,
    async *[Symbol.asyncIterator]() {
      using store = reader;
      for (const { time, datagram } of store.select({})) {
        const { from, data, truncated } = datagram;
        if (truncated) {
          left.cut++;
          continue;
        }
        const isNet = "hostname" in from;
        yield {
          time: BigInt(time.getTime()) * 1_000_000n,
          from: isNet ? from as Replayable["from"] : NOBODY,
          to: NOBODY,
          data,
        };
      }
    },
  };
}
