/** Throws an error of one line: its stack would only name this package. */
export function refuse(message) {
  const error = new Error(message);
  error.stack = `${error}`;
  throw error;
}
