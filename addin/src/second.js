// What the model says when it is asked once more about a mail whose first answer was not whole. Pure.

import { fullLabelOf, shown } from "./fields.js";
import { heard, text } from "./texts.js";
import { sureWord } from "./words.js";

/**
 * @typedef {import("./story.js").Story} Story
 * @typedef {{key: string, label: string, text: string, sure: string}} Said  a value that the run does not hold; `key` is "person.record.field"
 * @typedef {{asking: boolean, message: string, said: readonly Said[]}} Second
 */

/** @type {Second} */
export const ASKING = Object.freeze({ asking: true, message: "", said: [] });

/** Was the model asked, and did not answer in whole? @param {Story} story */
export const isDegraded = ({ issues }) => issues.some(({ code }) => code.startsWith("model_"));

/** The second answer beside the run that waits; only for people whom that run knows. @param {Story} run @param {Story} second @returns {Second} */
export function secondFrom(run, second) {
  const failure = second.error?.message ?? second.issues.find(({ code }) => code.startsWith("model_"))?.message;
  const said = failure ? [] : run.people.flatMap(({ index, fields }) =>
    Object.entries(second.people[index]?.fields ?? {})
      .filter(([name, { value, origin }]) => origin === "model" && shown(value) !== shown(fields[name]?.value))
      .map(([name, { record, field, value, confidence }]) => ({ key: `${index}.${name}`, label: fullLabelOf(record, field), text: shown(value), sure: sureWord(confidence) })));
  return { asking: false, said, message: failure === undefined ? (said.length ? "" : text("second.nothing")) : heard(failure) };
}
