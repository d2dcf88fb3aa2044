// What the user decided, apart from what the server found: so a later value never overwrites an edit.

import { contentFrom } from "./fields.js";

/**
 * @typedef {object} Edits
 * @property {Readonly<Record<string, string>>} values  text by "person.record.field"
 * @property {readonly number[]} skipped  people to leave out
 * @property {readonly string[]} without  attachments to leave out
 * @property {boolean} allowDuplicate
 */

/** @type {Edits} */
export const UNEDITED = Object.freeze({ values: {}, skipped: [], without: [], allowDuplicate: false });

/** @param {Edits} edits @param {string} key @param {string | null} text  null takes the edit back @returns {Edits} */
export function edited(edits, key, text) {
  const { [key]: _, ...others } = edits.values;
  return { ...edits, values: text === null ? others : { ...others, [key]: text } };
}

/** @template T @param {readonly T[]} list @param {T} item @param {boolean} there @returns {T[]} */
export const having = (list, item, there) => [...list.filter((other) => other !== item), ...(there ? [item] : [])];

/**
 * The `corrections` of a save (contract §9.10): only what was edited, attachments only when some are left out.
 * @param {Edits} edits @param {readonly string[]} attachments  all that the draft would file
 */
export function correctionsFrom(edits, attachments = []) {
  /** @type {Map<number, any>} */
  const people = new Map();
  const person = (/** @type {number} */ index) =>
    people.get(index) ?? people.set(index, { index, skip: edits.skipped.includes(index) }).get(index);
  edits.skipped.forEach(person);
  for (const [key, text] of Object.entries(edits.values)) {
    const [index, record, field] = key.split(".");
    const corrected = person(Number(index));
    corrected[record] = { ...corrected[record], [field]: contentFrom(field, text) };
  }
  return {
    people: [...people.values()].sort((a, b) => a.index - b.index),
    ...(edits.without.length ? { attachments: attachments.filter((name) => !edits.without.includes(name)) } : {}),
    ...(edits.allowDuplicate ? { allow_duplicate: true } : {}),
  };
}
