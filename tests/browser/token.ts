/// <reference lib="dom" />
import { messagesFrom, withPage } from "../support/pages.ts";
import { browserTest, waitForRows } from "./support/browser.ts";

const TOKEN = "a+b&c%d/e=";

browserTest(
  "the page's own URL asks for the token, and opens the page when it is entered",
  (open) =>
    withPage(async (page) => {
      page.write(messagesFrom(1, 3));
      const tab = await open(page.url, async (tab) => {
        await tab.goto(page.url);
        for (const token of ["wrong", TOKEN]) {
          await tab.getByLabel("token").fill(token);
          await tab.keyboard.press("Enter");
          if (token === "wrong") await tab.getByText("not the token").waitFor();
        }
        await tab.getByText("Live", { exact: true }).waitFor();
      });
      await waitForRows(tab, 3);
    }, { listen: "0.0.0.0:0", token: TOKEN }),
  { expected: /401/ },
);
