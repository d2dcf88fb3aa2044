// What the page says of a run: which sentence, when. The sentences themselves are in texts/.

import { dateOf, decimal, heard, text, textIfKnown } from "./texts.js";

/** @typedef {import("./story.js").Story} Story */
/** @typedef {"idle" | "running" | "review" | "saving" | "saved" | "nothing" | "cancelled" | "failed" | "reconnecting"} Status */
/** @typedef {"sure" | "likely" | "check"} Sureness */

/** @param {number} confidence 0–1 @returns {Sureness} */
export const sureness = (confidence) => (confidence >= 0.9 ? "sure" : confidence >= 0.6 ? "likely" : "check");

/** @param {number} confidence 0–1 */
export const sureWord = (confidence) => text(`sure.${sureness(confidence)}`);

/** @param {string} origin */
export const originWord = (origin) => textIfKnown(`origin.${origin}`) ?? origin;

/** Why a rule says so. @param {import("./story.js").Learned} learned */
export const learnedFrom = ({ original, edited_at: at }) =>
  text("learned", { date: dateOf(new Date(at)), original: original ? text("learned.quoted", { value: original }) : text("learned.nothing") });

/** @param {number} ms */
export const duration = (ms) => (ms < 1000
  ? text("time.milliseconds", { value: Math.round(ms) })
  : text("time.seconds", { value: decimal(ms / 1000, ms < 10000 ? 2 : 1) }));

/** @param {string} rung */
export const rungWord = (rung) => textIfKnown(`rung.${rung}`) ?? rung;

/**
 * The state of the page, and the sentence that says it.
 * @param {Story} story @param {{reconnecting: boolean, starting: boolean, saving: boolean, savedBefore?: {by: string} | null}} page
 * @returns {{state: Status, text: string}}
 */
export function statusOf(story, page) {
  if (page.reconnecting) return { state: "reconnecting", text: text("status.reconnecting") };
  if (page.saving || story.state === "saving") return { state: "saving", text: savingText(story) };
  switch (story.state) {
    case "undoing": return { state: "saving", text: heard(story.message) || text("status.undoing") };
    case "review": return { state: "review", text: text("status.review") };
    case "failed": return { state: "failed", text: heard(story.error?.message ?? "") || text("status.failed") };
    case "cancelled": return { state: "cancelled", text: text("status.cancelled") };
    case "complete": return completeStatus(story, page.savedBefore);
    case "idle": return page.starting ? { state: "running", text: text("status.handingIn") } : { state: "idle", text: "" };
    default: return { state: "running", text: heard(story.message) || text("status.reading") };
  }
}

/** @param {Story} story @param {{by: string} | null} [before] @returns {{state: Status, text: string}} */
function completeStatus({ status, records, completedAt }, before) {
  if (status === "nothing_to_file") return { state: "nothing", text: text("status.nothing") };
  if (status === "preview") return { state: "review", text: text("status.preview") };
  if (before) return { state: "saved", text: savedBefore(completedAt, before.by) };
  return { state: "saved", text: text("status.saved", { count: records.length }) };
}

/** @param {number | null} at epoch seconds @param {string} name */
function savedBefore(at, name) {
  const date = at ? dateOf(new Date(at * 1000), { time: true }) : "";
  if (date && name) return text("status.savedBefore.sinceBy", { date, name });
  return date ? text("status.savedBefore.since", { date }) : name ? text("status.savedBefore.by", { name }) : text("status.savedBefore");
}

/** @param {Story} story */
function savingText({ progress, draft }) {
  const all = draft.reduce((sum, filing) => sum + stepsOf(filing), 0);
  const done = progress.length;
  const last = progress.at(-1);
  if (!last) return text("status.saving");
  return all >= done ? text("status.savingSteps", { done, all, step: stepDone(last) }) : text("status.savingStep", { done, step: stepDone(last) });
}

/** @param {string} step */
export const stepWord = (step) => textIfKnown(`step.${step.replace(/s$/, "")}`) ?? step.replace(/s$/, "");

/** @param {string} action */
export const actionWord = (action) => textIfKnown(`action.${action}`) ?? action;

/** @param {{step: string, action: string}} told */
export const stepDone = ({ step, action }) => text("step.done", { step: stepWord(step), action: actionWord(action) });

/** @param {any} filing */
const stepsOf = (filing) =>
  ["account", "contact", "deal", "note"].filter((name) => filing[name]).length + (filing.attachments?.length ?? 0);

/** @param {Story} story */
export const whyNothing = ({ result, issues }) => heard(result?.reason ?? issues[0]?.message ?? "") || text("nothing.why");

/** One quiet line: when the first field came, when all was done; here and at the server.
 * @param {{firstField?: number, total?: number}} here @param {Readonly<Record<string, number>>} server */
export function timingsLine(here, server) {
  const first = timeOf(here.firstField, server.first_field);
  const total = timeOf(here.total, server.extraction);
  return [first && text("timing.first", { time: first }), total && text(first ? "timing.all" : "timing.only", { time: total })].filter(Boolean).join(" · ");
}

/** @param {number | undefined} here ms @param {number | undefined} there ms */
function timeOf(here, there) {
  if (here === undefined) return there === undefined ? "" : duration(there);
  return there === undefined ? duration(here) : text("timing.both", { here: duration(here), there: duration(there) });
}
