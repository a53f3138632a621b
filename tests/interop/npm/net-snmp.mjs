// SNMP: an agent with five values, and a manager that reads, sets and walks.
const OID = "1.3.6.1.4.1.9999";
const NUMBERS = [1, 2, 3, 4, 5];

/** Runs the agent and the manager. */
export async function program({ real, complain }) {
  const { default: snmp } = await real(() => import("net-snmp"));
  const options = { address: "127.0.0.1", disableAuthorization: true };
  const agent = snmp.createAgent(options, (error) => {
    if (error) complain(error.message);
  });
  for (const n of NUMBERS) {
    agent.registerProvider({
      name: `value${n}`,
      type: snmp.MibProviderType.Scalar,
      oid: `${OID}.${n}`,
      scalarType: snmp.ObjectType.Integer,
      maxAccess: snmp.MaxAccess["read-write"],
    });
    agent.getMib().setScalarValue(`value${n}`, n * 100);
  }
  const session = snmp.createSession("127.0.0.1", "public", {
    retries: 5,
    timeout: 1000,
    version: snmp.Version2c,
  });
  const call = (name, ...args) =>
    new Promise((done) => {
      let calls = 0;
      session[name](...args, (error, varbinds) => {
        if (++calls > 1) complain(`${name} has called back twice`);
        if (error && error.name !== "RequestTimedOutError") {
          complain(`${error}`);
        }
        done(error ? undefined : varbinds.map(({ value }) => value).join());
      });
    });
  const check = (what, value, wanted) => {
    if (value !== undefined && value !== `${wanted}`) {
      complain(`${what} returned ${value} instead of ${wanted}`);
    }
  };
  for (const n of NUMBERS) {
    check("get", await call("get", [`${OID}.${n}.0`]), n * 100);
  }
  const type = snmp.ObjectType.Integer;
  const set = await call("set", [{ oid: `${OID}.1.0`, type, value: 7 }]);
  check("set", set, 7);
  if (set) check("get", await call("get", [`${OID}.1.0`]), 7);
  const [, ...next] = await Promise.all(
    NUMBERS.map((n) => call("getNext", [`${OID}.${n}`])),
  );
  for (const [n, value] of next.entries()) {
    check("getNext", value, (n + 2) * 100);
  }
  const walked = [];
  const take = (varbinds) =>
    void walked.push(...varbinds.map(({ value }) => value));
  const error = await new Promise((done) =>
    session.subtree(OID, 2, take, done)
  );
  if (!error && set) check("subtree", walked.join(), "7,200,300,400,500");
  session.close();
  await new Promise((done) => agent.close(done));
}
