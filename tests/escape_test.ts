import { assert, assertEquals } from "@std/assert";
import { escapeControls } from "../mod.ts";
import { escapeControlsInJson } from "../lib/escape.ts";
import { random } from "./support/helpers.ts";

const ESCAPED: [name: string, text: string, shown: string][] = [
  ["a line feed", "a\nb", "a\\nb"],
  ["a carriage return", "a\rb", "a\\rb"],
  ["a tab", "a\tb", "a\\tb"],
  ["NUL", "\0", "\\x00"],
  ["a bell", "\x07", "\\x07"],
  ["an escape sequence", "\x1b[2J\x1b]0;t\x07", "\\x1b[2J\\x1b]0;t\\x07"],
  ["DEL", "\x7f", "\\x7f"],
  ["C1's CSI", "\x9b31m", "\\x9b31m"],
  ["the ends of C1", "\x80\x9f", "\\x80\\x9f"],
  ["the line and paragraph separators", "\u2028\u2029", "\\u2028\\u2029"],
  ["embeddings and overrides", "\u202a\u202e", "\\u202a\\u202e"],
  ["isolates", "\u2066\u2069", "\\u2066\\u2069"],
  ["directional marks", "\u061c\u200e\u200f", "\\u061c\\u200e\\u200f"],
];

const KEPT: [name: string, text: string][] = [
  ["nothing", ""],
  ["plain text", "Bonjour je vous envoi un message !"],
  ["backslashes and quotes", "\\n \\x1b \"'"],
  ["letters beyond ASCII", "é ß 漢字 عربي \u00a0"],
  ["emoji, joined too", "💥 👩\u200d🚀"],
  ["the neighbours of what is escaped", " ~\u00a0\u200d\u2010\u2065\u206a"],
  ["half a surrogate pair", "\ud800"],
];

for (const [name, text, shown] of ESCAPED) {
  Deno.test(`escapeControls writes out ${name}`, () => {
    assertEquals(escapeControls(text), shown);
  });
}

for (const [name, text] of KEPT) {
  Deno.test(`escapeControls keeps ${name}`, () => {
    assertEquals(escapeControls(text), text);
  });
}

Deno.test("every control character below U+10000 is escaped", () => {
  const control = /\p{Cc}|\p{Zl}|\p{Zp}|\p{Bidi_Control}/u;
  let escaped = 0;
  for (let code = 0; code <= 0xffff; code++) {
    const char = String.fromCharCode(code);
    const shown = escapeControls(char);
    assertEquals(shown !== char, control.test(char), code.toString(16));
    assert(!control.test(shown));
    if (shown !== char) escaped++;
  }
  assertEquals(escaped, 65 + 2 + 12);
});

Deno.test("in JSON the escaped text has the same value", () => {
  const below = random(1);
  for (let i = 0; i < 1000; i++) {
    const value = String.fromCharCode(
      ...Array.from({ length: 8 }, () => below(2) ? below(160) : below(0x2100)),
    );
    const json = escapeControlsInJson(JSON.stringify({ [value]: value }));
    assertEquals(JSON.parse(json), { [value]: value });
    assertEquals(escapeControls(json), json);
  }
});
