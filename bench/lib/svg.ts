/** The style of every chart, for light and dark pages. */
export const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; font-size: 15px; }
  .tick, .about { font-size: 11px; fill: #57606a; }
  .grid { stroke: #d0d7de; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .tick, .about { fill: #9198a1; }
    .grid { stroke: #3d444d; }
  }`;

/** Returns an image. */
export function svg(
  width: number,
  height: number,
  style: string,
  label: string,
  parts: readonly string[],
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
<style>${style}
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
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${
    round(x)
  }" y="${y}" class="${style}" text-anchor="${anchor}">${escaped}</text>`;
}

/** Returns a line. */
export function line(
  style: string,
  x1: number,
  x2: number,
  y1: number,
  y2: number,
): string {
  return `<line class="${style}" x1="${round(x1)}" x2="${
    round(x2)
  }" y1="${y1}" y2="${y2}"/>`;
}

/** Rounds a coordinate. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
