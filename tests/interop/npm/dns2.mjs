// DNS: a resolver looks up names, one after the other and several at once.
const ADDRESS = "127.0.0.1";

/** Runs a server and a resolver. */
export async function program({ real, complain }) {
  const { default: DNS } = await real(() => import("dns2"));
  const { Packet } = DNS;
  const server = DNS.createServer({
    udp: true,
    handle(request, send) {
      const [{ name }] = request.questions;
      const response = Packet.createResponseFromRequest(request);
      response.answers.push({
        name,
        type: Packet.TYPE.A,
        class: Packet.CLASS.IN,
        ttl: 60,
        address: `10.0.0.${name.split(".")[0]}`,
      });
      send(response);
    },
  });
  await server.listen({ udp: { port: 53, address: ADDRESS } });
  const resolver = new DNS({ nameServers: [ADDRESS] });
  const look = async (n) => {
    const start = Date.now();
    try {
      const { answers } = await resolver.resolveA(`${n}.example`);
      const found = answers.map(({ address }) => address).join();
      if (found !== `10.0.0.${n}`) complain(`a wrong address: ${found}`);
    } catch ({ message }) {
      if (!message.includes("timed out after 3000ms")) complain(message);
      else if (Date.now() - start < 4 * 3000) complain("no retry");
    }
  };
  for (const n of [1, 2, 3, 4, 5]) await look(n);
  await Promise.all([6, 7, 8, 9, 10].map(look));
  await server.close();
}
