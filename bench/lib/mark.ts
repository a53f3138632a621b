/**
 * Sends marks to a socket until it has received one: all that was sent to it
 * before was received or dropped by then, however slow the machine is.
 *
 * @param send Sends a mark, such as an empty datagram. One that finds the buffer
 * full is dropped, and another one is sent.
 * @param received Settles when the first mark was received, or with an error.
 * @throws What `send` or `received` rejects with.
 */
export async function sendMarks(
  send: () => Promise<void>,
  received: Promise<void>,
): Promise<void> {
  let isOver = false;
  received.finally(() => isOver = true).catch(() => {});
  while (!isOver) {
    await send();
    await new Promise((go) => setTimeout(go, 1));
  }
  await received;
}
