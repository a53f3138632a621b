/** The style of every chart, for light and dark pages. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 14px; }
  .tick { font-size: 11px; fill: #57606a; }
  .grid { stroke: #d0d7de; }
  .band { fill: #0969da; fill-opacity: 0.25; stroke: #0969da; stroke-width: 0.5; }
  .mean { stroke: #0550ae; stroke-width: 1.5; fill: none; }
  .bar { fill: #0969da; }
  .lost { stroke: #cf222e; stroke-width: 1.5; }
  .losttext { fill: #cf222e; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .tick { fill: #9198a1; }
    .grid { stroke: #3d444d; }
    .band { fill: #4493f8; stroke: #4493f8; }
    .mean { stroke: #79c0ff; }
    .bar { fill: #4493f8; }
    .lost { stroke: #ff7b72; }
    .losttext { fill: #ff7b72; }
  }`;

/** Returns an image. */
export function svg(
  width: number,
  height: number,
  label: string,
  parts: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${
    escape(label)
  }">
<style>${STYLE}
</style>
${parts.join("\n")}
</svg>
`;
}

/** Returns a text. */
export function text(
  x: number,
  y: number,
  style: string,
  content: string,
  anchor = "start",
): string {
  return `<text x="${round(x)}" y="${
    round(y)
  }" class="${style}" text-anchor="${anchor}">${escape(content)}</text>`;
}

/** Returns a line. */
export function line(
  style: string,
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
): string {
  return `<line class="${style}" x1="${round(x1)}" y1="${round(y1)}" x2="${
    round(x2)
  }" y2="${round(y2)}"/>`;
}

/** Returns a rectangle. */
export function rectangle(
  style: string,
  [x, y]: readonly [number, number],
  width: number,
  height: number,
): string {
  return `<rect class="${style}" x="${round(x)}" y="${round(y)}" width="${
    round(width)
  }" height="${round(height)}"/>`;
}

/** Returns a line through points. */
export function polyline(
  style: string,
  points: readonly (readonly [number, number])[],
): string {
  const all = points.map(([x, y]) => `${round(x)},${round(y)}`).join(" ");
  return `<polyline class="${style}" points="${all}"/>`;
}

/** XML 1.0 has no control characters but tab and line breaks, not even escaped. */
function escape(content: string): string {
  return content
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/g, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
