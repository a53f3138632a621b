// Multicast DNS: three responders, each on a host of its own, and a querier.
const HOSTS = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
const TRIES = 20;

/** Runs the responders and the querier. */
export async function program({ network, real, complain }) {
  const { default: mdns } = await real(() => import("multicast-dns"));
  const members = [];
  const join = async (host) => {
    const socket = network.dgram(host).createSocket({
      type: "udp4",
      reuseAddr: true,
    });
    const member = mdns({ socket, interface: host, bind: "0.0.0.0" });
    member.on("warning", ({ message }) => complain(message));
    members.push(member);
    await new Promise((done) => member.on("ready", done));
    return member;
  };
  for (const [n, data] of HOSTS.entries()) {
    const responder = await join(data);
    const name = `host-${n}.local`;
    responder.on("query", ({ questions }) => {
      if (!questions.some((question) => question.name === name)) return;
      responder.respond([{ name, type: "A", ttl: 120, data }]);
    });
  }
  const querier = await join("10.0.0.9");
  const found = new Map();
  querier.on("response", ({ answers }) => {
    for (const { name, data } of answers) {
      if ((found.get(name) ?? data) !== data) complain("two answers differ");
      found.set(name, data);
    }
  });
  for (const [n, data] of HOSTS.entries()) {
    const name = `host-${n}.local`;
    for (let n = 0; n < TRIES && !found.has(name); n++) {
      querier.query(name, "A");
      await new Promise((wake) => setTimeout(wake, 1000));
    }
    if (found.get(name) !== data) complain("a host is not found");
  }
  for (const member of members) {
    await new Promise((done) => member.destroy(done));
  }
}
