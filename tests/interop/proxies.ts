/** The page behind nginx and Caddy, configured as docs/page.md shows. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "../../lib/sinks/page.ts";
import { makeCertificate } from "../../lib/testing/certificate.ts";
import { turn } from "../support/helpers.ts";
import { message, openPage } from "../support/pages.ts";
import { Peer, testsWhere } from "./support/peers.ts";

const NAME = "logs.example.org";
const DOCS = await Deno.readTextFile("docs/page.md");

/** A proxy that runs, with a folder and a port of its own. */
interface Proxy {
  command: string;
  debianPackage: string;
  /** Writes its configuration and returns the arguments. */
  args(folder: string, port: number, page: Page): Promise<string[]>;
}

/** A code block of the docs, for that page. */
function configuration(language: string, page: Page): string {
  const pattern = new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, "m");
  const [, block = ""] = pattern.exec(DOCS) ?? [];
  assertStringIncludes(block, "127.0.0.1:62080");
  return block.replaceAll("127.0.0.1:62080", new URL(page.url).host);
}

const PROXIES: Proxy[] = [{
  command: "nginx",
  debianPackage: "nginx-light",
  async args(folder, port, page) {
    const { cert, key } = await makeCertificate({ hosts: [NAME] });
    await Deno.writeTextFile(`${folder}/cert.pem`, cert);
    await Deno.writeTextFile(`${folder}/key.pem`, key);
    const server = configuration("nginx", page)
      .replace("listen 443", `listen 127.0.0.1:${port}`)
      .replace(/(ssl_certificate) .*;/, `$1 ${folder}/cert.pem;`)
      .replace(/(ssl_certificate_key) .*;/, `$1 ${folder}/key.pem;`);
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
    await Deno.writeTextFile(
      `${folder}/nginx.conf`,
      `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
      events {}
      http { access_log off; gzip on; gzip_types *; ${paths}\n${server} }`,
    );
    return ["-p", folder, "-c", `${folder}/nginx.conf`, "-e", "stderr"];
  },
}, {
  command: "caddy",
  debianPackage: "caddy",
  async args(folder, port, page) {
    const site = configuration("caddyfile", page)
      .replace("{\n", "{\n  encode gzip\n");
    // It makes the certificate itself, as it has none of this name.
    await Deno.writeTextFile(
      `${folder}/Caddyfile`,
      `{
        admin off
        auto_https disable_redirects
        default_bind 127.0.0.1
        https_port ${port}
        local_certs
        skip_install_trust
        storage file_system ${folder}
      }
      ${site}`,
    );
    return ["run", "--config", `${folder}/Caddyfile`];
  },
}];

async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** Starts a proxy before a page. Resolves when it answers. */
async function start({ command, args }: Proxy, page: Page) {
  const folder = await Deno.makeTempDir();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const peer = new Peer(command, await args(folder, port, page));
  const curl = (path: string, ...options: string[]) =>
    new Peer("curl", [
      ...["--silent", "--show-error", "--insecure", "--no-buffer"],
      ...["--resolve", `${NAME}:${port}:127.0.0.1`, "--compressed"],
      ...options,
      `https://${NAME}:${port}${path}`,
    ]);
  const answers = async () => {
    await using peer = curl("/", "--output", "/dev/null");
    return (await peer.ended()).code === 0;
  };
  // Caddy accepts connections before it has made its certificate.
  while (!await accepts(port) || !await answers()) await turn();
  return {
    origin: `https://${NAME}:${port}`,
    curl,
    async status(path: string, ...options: string[]): Promise<number> {
      const format = ["--output", "/dev/null", "--write-out", "%{http_code}"];
      await using peer = curl(path, ...format, ...options);
      const { bytes, stderr } = await peer.ended();
      assertEquals(stderr, "");
      return Number(new TextDecoder().decode(bytes));
    },
    async [Symbol.asyncDispose]() {
      await peer[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

for (const proxy of PROXIES) {
  const { command, debianPackage } = proxy;
  const test = await testsWhere(
    `command -v ${command} && command -v curl`,
    debianPackage,
  );

  for (const base of ["/", "/pli/"]) {
    test(`the page works behind ${command} as the docs show, at ${base}: files, events, form`, async () => {
      const page = openPage({ hosts: [NAME] });
      try {
        await using running = await start(proxy, page);
        const { status, origin } = running;
        for (const path of ["", "page.js", "style.css", "messages", "stats"]) {
          assertEquals(await status(base + path), 200, path);
        }
        await using events = running.curl(`${base}events`);
        await events.printed(/event: start\n/);
        page.write([message(1, "as it comes")]);
        await events.printed(/"text":"as it comes"/);
        const form = (from: string, site: string) =>
          status(
            `${base}send`,
            ...["--json", '{"text":"a"}', "--header", `Origin: ${from}`],
            ...["--header", `Sec-Fetch-Site: ${site}`],
          );
        assertEquals(await form(origin, "same-origin"), 200);
        assertEquals(await form("https://evil.example", "cross-site"), 403);
      } finally {
        await page.close();
      }
    });
  }

  test(`a token opens the page behind ${command} at /pli/, and its cookie keeps it open`, async () => {
    const page = openPage({ hosts: [NAME], token: "a+b&c%d/e=" });
    try {
      await using running = await start(proxy, page);
      assertEquals(await running.status("/pli/stats"), 401);
      const query = `?token=${encodeURIComponent("a+b&c%d/e=")}`;
      const follow = ["--location", "--cookie", "none", "--write-out"];
      await using peer = running.curl(
        `/pli/${query}`,
        ...follow,
        "%{url_effective} %{http_code}",
      );
      await peer.printed(new RegExp(`${running.origin}/pli/ 200$`));
    } finally {
      await page.close();
    }
  });
}
