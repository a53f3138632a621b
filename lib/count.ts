/** Writes a number of things, as in `1 byte` and `2 bytes`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
