// What the flight recorder calls what it shows.

import { fullLabelOf, labelOf, shown } from "../fields.js";
import { lasting } from "../live/words.js";
import { duration, originWord } from "../words.js";

/** @typedef {import("../story.js").Envelope} Envelope */

/** On which lane of the time line an event stands. @param {string} type */
export function laneOf(type) {
  if (type === "extraction_token") return "model";
  if (type === "extraction_field") return "fields";
  if (type.startsWith("research_")) return "research";
  return type.startsWith("zoho_") || type.startsWith("undo_") || type === "duplicate_found" ? "crm" : "run";
}

/** @param {number} ms  since acceptance */
export const since = (ms) => (ms < 60_000 ? `+${duration(ms)}` : `+${lasting(ms / 1000)}`);

/** An event in a sentence. @type {Record<string, (data: any) => string>} */
const SENTENCES = {
  extraction_start: ({ message, attempt }) => (attempt > 1 ? `${message} (opened ${attempt} times)` : message),
  extraction_token: () => "The model writes",
  extraction_field: ({ field, record, value, origin, supersedes, person }) =>
    `${person ? `Person ${person + 1}: ` : ""}${fullLabelOf(record, field)}: ${value === null ? "emptied" : shown(value)} (${originWord(origin)}${supersedes ? `, instead of ${originWord(supersedes)}` : ""})`,
  research_start: ({ domain }) => `Research: ${domain}`,
  research_result: ({ status, elapsed }) => `Research: ${status} in ${duration(elapsed * 1000)}`,
  validation_start: ({ message }) => message,
  validation_result: ({ people, issues }) => `Checked: ${counted(people.length, "person", "people")}, ${counted(issues?.length ?? 0, "issue")}`,
  duplicate_found: ({ module, matched_on }) => `In the CRM already: a ${module} with the same ${labelOf(matched_on).toLowerCase()}`,
  review_ready: () => "Ready to review",
  zoho_start: ({ message, target }) => `${message} into ${target === "zoho" ? "Zoho" : "the built-in CRM"}`,
  zoho_progress: ({ message }) => message,
  zoho_complete: ({ records }) => `Stored: ${counted(records.length, "record")}`,
  undo_start: ({ message, by }) => `${message}, by ${by}`,
  undo_progress: ({ message }) => message,
  undo_complete: () => "The save is taken back",
  complete: ({ status }) => `Complete: ${status.replaceAll("_", " ")}`,
  error: ({ message, retryable }) => `Failed${retryable ? ", may be tried again" : ""}: ${message}`,
  cancelled: ({ by }) => `Cancelled by ${by}`,
};

/** @param {Envelope} envelope */
export const sentenceOf = ({ type, data }) => SENTENCES[type]?.(data) ?? labelOf(type);

/** @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** @param {import("../story.js").Story} story */
export function costOf({ usage }) {
  if (!usage.input_tokens) return "–";
  return typeof usage.cost === "number" ? `${usage.cost.toFixed(usage.cost < 0.01 ? 5 : 3)} ${usage.currency ?? ""}`.trim() : "no price is set";
}

/** @param {import("../story.js").Story} story */
export const tokensOf = ({ usage }) =>
  usage.input_tokens ? `${usage.input_tokens} in (${usage.cached_tokens ?? 0} cached), ${usage.output_tokens} out` : "";

export const WITHHELD = "withheld";
