import { parseAddress } from "../address/address.ts";
import { isOnLoopback } from "../address/host.ts";
import { quote } from "../errors.ts";
import { inEnvironment } from "./environment.ts";
import { type Needs, toBind, together } from "./needs.ts";
import { UsageError } from "./options.ts";
import { toKnowIfGiven } from "./secrets.ts";
import type { PageSettings } from "./server_settings.ts";

/** Where pages are by default. */
export const DEFAULT_PAGE = "127.0.0.1:62080";
/** The variable that may hold the page's token. */
export const PAGE_TOKEN = "PLI_PAGE_TOKEN";

/**
 * Reads `--page`. Beyond loopback others can reach it, so there it needs a token.
 *
 * @param text `undefined` if there is no page, `""` for the default address.
 * @param file The file of the token.
 * @param hosts Its public names.
 * @throws {UsageError} It is not an address, or has no token and needs one.
 */
export function pageSettings(
  text: string | undefined,
  file: string | undefined,
  hosts: readonly string[],
): PageSettings | undefined {
  if (text === undefined) return undefined;
  const listen = text === "" ? DEFAULT_PAGE : text;
  const address = listen.includes("/") ? undefined : parseAddress(listen);
  if (address === undefined || "path" in address) {
    throw new UsageError(
      `--page ${quote(listen)}: must be HOST:PORT, such as ${DEFAULT_PAGE}`,
    );
  }
  const isSecret = file !== undefined || inEnvironment(PAGE_TOKEN);
  if (!isSecret && !isOnLoopback(address.hostname)) {
    throw new UsageError(
      `--page ${listen}: others can reach it there, so it needs --page-token-file, or ${PAGE_TOKEN} and --allow-env=${PAGE_TOKEN}`,
    );
  }
  return { listen, address, token: { file, variable: PAGE_TOKEN }, hosts };
}

/** To serve a page, and to read its token. */
export function toServe({ address, token }: PageSettings): Needs {
  return together(toBind(address), toKnowIfGiven(token));
}
