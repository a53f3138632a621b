// @ts-check
// Writes columns as rows.

/** @typedef {import("node:sqlite").StatementSync} StatementSync */

/**
 * @typedef {object} Batch Columns, with one entry per message.
 * @property {Float64Array} ids
 * @property {Float64Array} times Milliseconds since 1970.
 * @property {Uint32Array} senders The index of each sender in `names`.
 * @property {string[]} names
 * @property {Uint8Array} sources 16 bytes each.
 * @property {Uint8Array} truncated
 * @property {Uint32Array} ends The end of the data of each message.
 * @property {Uint8Array} data
 */

/**
 * Inserts each message of a batch.
 *
 * @param {Batch} batch
 * @param {StatementSync} statement
 */
export function insertAll(batch, statement) {
  const { ids, times, senders, names, sources, truncated, ends, data } = batch;
  let start = 0;
  for (const [i, id] of ids.entries()) {
    const sender = at(names, at(senders, i));
    const source = sender.startsWith("unix:")
      ? null
      : sources.subarray(16 * i, 16 * (i + 1));
    const end = at(ends, i);
    statement.run(
      id,
      at(times, i),
      sender,
      source,
      at(truncated, i),
      data.subarray(start, end),
    );
    start = end;
  }
}

/**
 * @template T
 * @param {ArrayLike<T>} column
 * @param {number} row
 */
function at(column, row) {
  const value = column[row];
  if (value === undefined) throw new RangeError(`the batch has no row ${row}`);
  return value;
}
