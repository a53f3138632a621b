import uplotScript from "uplot/dist/uPlot.iife.min.js" with {
  type: "text",
};
import uplotStyle from "uplot/dist/uPlot.min.css" with {
  type: "text",
};
import chart from "./assets/chart.js" with { type: "text" };
import element from "./assets/element.js" with { type: "text" };
import form from "./assets/form.js" with { type: "text" };
import html from "./assets/index.html" with { type: "text" };
import hub from "./assets/hub.js" with { type: "text" };
import list from "./assets/list.js" with { type: "text" };
import messagesStyle from "./assets/messages.css" with { type: "text" };
import page from "./assets/page.js" with { type: "text" };
import row from "./assets/row.js" with { type: "text" };
import stream from "./assets/stream.js" with { type: "text" };
import style from "./assets/style.css" with { type: "text" };
import tabs from "./assets/tabs.js" with { type: "text" };
import text from "./assets/text.js" with { type: "text" };
import time from "./assets/time.js" with { type: "text" };
import totals from "./assets/totals.js" with { type: "text" };
import wideStyle from "./assets/wide.css" with { type: "text" };

/** A file of the page, which is served from memory. */
export interface Asset {
  contentType: string;
  text: string;
}

/** The page's files, by path. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ["/", { contentType: "text/html; charset=utf-8", text: html }],
  ...styles({
    style,
    messages: messagesStyle,
    wide: wideStyle,
    uplot: uplotStyle,
  }),
  ...scripts({
    chart,
    element,
    form,
    hub,
    list,
    page,
    row,
    stream,
    tabs,
    text,
    time,
    totals,
    uplot: uplotScript,
  }),
]);

function styles(files: Record<string, string>): [string, Asset][] {
  return Object.entries(files).map(([name, text]) => [
    `/${name}.css`,
    { contentType: "text/css; charset=utf-8", text },
  ]);
}

function scripts(files: Record<string, string>): [string, Asset][] {
  return Object.entries(files).map(([name, text]) => [
    `/${name}.js`,
    { contentType: "text/javascript; charset=utf-8", text },
  ]);
}
