// CoAP: orders that must not be carried out twice, a long answer and a long
// question. The last two travel in blocks.
import { Buffer } from "node:buffer";

const HOST = "127.0.0.1";
const LATE = "No reply in 247 seconds.";
const LONG = "0123456789abcdef".repeat(200);
const BLOCKS_OF_1024 = Buffer.of(6);

/** Sends a request; returns the answer's code and text, or the error's message. */
function ask(coap, options, payload) {
  return new Promise((done) => {
    const timer = setTimeout(done, 1_000_000, "no answer, and no error");
    const end = (answer) => {
      clearTimeout(timer);
      done(answer);
    };
    coap.request({ agent: false, hostname: HOST, ...options })
      .on("error", ({ message }) => end(message))
      .on("response", async (response) => {
        let text = "";
        for await (const part of response) text += part;
        end(`${response.code} ${text}`);
      })
      .end(payload);
  });
}

/** Runs a server and a client. */
export async function program({ real, complain }) {
  const { default: coap } = await real(() => import("coap"));
  const came = new Map();
  const server = coap.createServer(({ url, payload }, response) => {
    came.set(url, (came.get(url) ?? 0) + 1);
    response.end(url === "/long" ? LONG : `${url} ${payload.length}`);
  });
  await new Promise((done) => server.listen(5683, HOST, done));
  const check = (what, answer, wanted) => {
    if (answer === LATE || answer === `2.05 ${wanted}`) return;
    const shown = answer.length < 60 ? answer : "other bytes";
    complain(`${what}: ${shown}`);
  };
  const orders = ["/order/1", "/order/2", "/order/3"];
  for (const pathname of orders) {
    const answer = await ask(coap, { method: "POST", pathname });
    check("a short exchange", answer, `${pathname} 0`);
  }
  check("a long answer", await ask(coap, { pathname: "/long" }), LONG);
  const options = { Block1: BLOCKS_OF_1024 };
  const put = { method: "PUT", pathname: "/put", options };
  const answer = await ask(coap, put, LONG);
  check("a long question", answer, `/put ${LONG.length}`);
  // What is late by then never comes.
  await new Promise((wake) => setTimeout(wake, 300_000));
  await new Promise((done) => server.close(done));
  for (const [url, times] of came) {
    if (orders.includes(url) && times > 1) complain("an order came twice");
    if (url === "/") complain("a request came that nobody has sent");
  }
}
