// @ts-check
/// <reference lib="dom" />
/** Finds and creates elements. */

/**
 * Returns the element with an id.
 *
 * @template {HTMLElement} E
 * @param {string} id
 * @param {new () => E} Kind
 * @returns {E}
 */
export function find(id, Kind) {
  const found = document.getElementById(id);
  if (found instanceof Kind) return found;
  throw new Error(`no element has the id ${id}`);
}

/**
 * Creates an element. Its content is text, never HTML: it may be of the network.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {string} [text]
 * @param {Record<string, string>} [attributes]
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, text = "", attributes = {}) {
  const created = document.createElement(name);
  created.textContent = text;
  for (const [key, value] of Object.entries(attributes)) {
    created.setAttribute(key, value);
  }
  return created;
}
