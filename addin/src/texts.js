// In which language the page speaks. English until somebody says otherwise; the words are in texts/, one file a language.

import english from "./texts/en.js";
import spanish, { told } from "./texts/es.js";

/** @typedef {keyof typeof english} Key */
/** @typedef {Record<string, string | number>} Values  by the name of their place */

/** @type {Record<string, {texts: typeof english, told: Record<string, string>}>} */
const LANGUAGES = { en: { texts: english, told: {} }, es: { texts: spanish, told } };
let language = "en";
/** How dates and numbers are written. */
let locale = "en-GB";
/** @type {Map<number, Intl.NumberFormat>} */
const numbers = new Map();

/** @param {string | null | undefined} tag  BCP 47, as Office and browsers say it; what we do not speak becomes English */
export function speak(tag) {
  const [whole, wanted] = /^([a-z]{2,3})(?:-[a-z0-9]{2,8})*$/i.exec(tag ?? "") ?? ["", ""];
  const known = Object.hasOwn(LANGUAGES, wanted.toLowerCase());
  language = known ? wanted.toLowerCase() : "en";
  locale = known ? whole : "en-GB";
  numbers.clear();
}

export const spoken = () => language;

/** @param {Key} key @param {Values} [values]  `count` decides between one and many */
export function text(key, values = {}) {
  const said = LANGUAGES[language].texts[key];
  return filled(typeof said === "string" ? said : said[values.count === 1 ? "one" : "other"], values);
}

/** For names that a newer server may have made up: a text, or nothing. @param {string} key */
export const textIfKnown = (key) => (Object.hasOwn(english, key) ? text(/** @type {Key} */ (key)) : undefined);

/**
 * What the server says, which is English, sentence by sentence in the language of the page; what is not known stays as it is.
 * @param {string} said
 */
export function heard(said) {
  const { told } = LANGUAGES[language];
  if (language === "en") return said;
  return said.split(/(?<=[.!?])\s+/).map((sentence) => told[sentence] ?? fromPattern(told, sentence)).join(" ");
}

/** @param {Record<string, string>} told @param {string} sentence */
function fromPattern(told, sentence) {
  for (const [pattern, words] of Object.entries(told)) {
    if (!pattern.includes("{")) continue;
    const found = new RegExp(`^${pattern.replaceAll(/[.?()]/g, "\\$&").replaceAll(/\{(\w+)\}/g, "(?<$1>.+)")}$`).exec(sentence);
    if (found) return filled(words, /** @type {Values} */ (found.groups));
  }
  return sentence;
}

/** @param {string} words @param {Values} values */
const filled = (words, values) => words.replaceAll(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));

/** @param {number} value @param {number} digits */
export function decimal(value, digits) {
  const known = numbers.get(digits) ?? new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false });
  numbers.set(digits, known);
  return known.format(value);
}

/** A day, with `time` also the hour. @param {Date} at @param {{time?: boolean}} [how] */
export const dateOf = (at, { time = false } = {}) =>
  at.toLocaleString(locale, { day: "numeric", month: "long", ...(time ? { hour: "2-digit", minute: "2-digit" } : {}) });
