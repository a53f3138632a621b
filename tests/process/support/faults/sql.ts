// Another program that uses the file of a store: runs a statement, and waits with
// the file open. Its arguments: the path, the statement, and milliseconds.
import { DatabaseSync } from "node:sqlite";

const [path = "", sql = "", ms = ""] = Deno.args;
// SQLite would create one that was moved just now.
if (Deno.statSync(path).size === 0) Deno.exit();
using db = new DatabaseSync(path);
db.exec("PRAGMA busy_timeout = 2000");
for (const statement of sql.split(";")) db.prepare(statement).all();
await new Promise((go) => setTimeout(go, Number(ms)));
