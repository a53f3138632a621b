// TFTP: a client gets a file and puts one.
import { Buffer } from "node:buffer";

const PLACE = { host: "127.0.0.1", port: 69 };
const FILE = Buffer.from(
  Array.from({ length: 600 }, (_, n) => `${n}`.padStart(8)).join(""),
);

/** Reads a stream to its end; returns the bytes, or the error. */
function read(stream) {
  return new Promise((done) => {
    const parts = [];
    stream.on("data", (part) => parts.push(part));
    stream.on("error", done);
    stream.on("abort", () => done(new Error("aborted")));
    stream.on("end", () => done(Buffer.concat(parts)));
  });
}

/** Runs a server and a client. */
export async function program({ real, complain }) {
  const { default: tftp } = await real(() => import("tftp"));
  const check = (what, outcome) => {
    if (outcome instanceof Error) {
      const { message } = outcome;
      if (!/^Timed out/i.test(message)) complain(`${what}: ${message}`);
    } else if (!outcome.equals(FILE)) complain(`${what}: the bytes are wrong`);
  };
  const stored = [];
  const server = tftp.createServer({ ...PLACE, root: "." }, (from, to) => {
    from.on("error", () => {});
    to.on("error", () => {});
    if (from.method === "GET") {
      to.setSize(FILE.length);
      to.end(FILE);
    } else {
      read(from).then((bytes) => {
        if (!(bytes instanceof Error)) stored.push(bytes);
      });
    }
  });
  await new Promise((done) => {
    server.on("listening", done);
    server.listen();
  });
  const client = tftp.createClient({ ...PLACE, retries: 9, timeout: 1000 });
  check("get", await read(client.createGetStream("file")));
  const put = client.createPutStream("other", { size: FILE.length });
  const failure = await new Promise((done) => {
    put.on("error", done);
    put.on("finish", () => done(undefined));
    put.end(FILE);
  });
  if (failure) check("put", failure);
  // What is still on its way ends.
  await new Promise((wake) => setTimeout(wake, 60_000));
  if (!failure && stored.length === 0) complain("put: nothing is stored");
  for (const bytes of stored) check("put", bytes);
  server.close();
  await new Promise((done) => server.on("close", done));
}
