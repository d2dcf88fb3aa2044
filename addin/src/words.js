// What the page says. Sentences in one place, so that they keep one voice.

/** @typedef {import("./story.js").Story} Story */
/** @typedef {"idle" | "running" | "review" | "saving" | "saved" | "nothing" | "cancelled" | "failed" | "reconnecting"} Status */

/** @param {number} confidence 0–1 */
export const sureness = (confidence) => (confidence >= 0.9 ? "sure" : confidence >= 0.6 ? "likely" : "check");

/** @type {Record<string, string>} */
const ORIGINS = { pattern: "pattern", model: "model", research: "web", rule: "rule", user: "you" };

/** @param {string} origin */
export const originWord = (origin) => ORIGINS[origin] ?? origin;

/** Why a rule says so. @param {import("./story.js").Learned} learned */
export const learnedFrom = ({ original, edited_at: at }) =>
  `From an edit on ${new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "long" })}, instead of ${original ? `“${original}”` : "nothing"}.`;

/** @param {number} ms */
export const duration = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(ms < 10000 ? 2 : 1)} s`);

/** @type {Record<string, string>} */
export const RUNGS = { signalr: "Azure SignalR", websocket: "WebSocket", sse: "Server-sent events", ndjson: "NDJSON stream", polling: "Long polling" };

/**
 * The state of the page, and the sentence that says it.
 * @param {Story} story @param {{reconnecting: boolean, starting: boolean, saving: boolean, savedBefore?: {by: string} | null}} page
 * @returns {{state: Status, text: string}}
 */
export function statusOf(story, page) {
  if (page.reconnecting) return { state: "reconnecting", text: "Reconnecting… The work goes on at the server." };
  if (page.saving || story.state === "saving") return { state: "saving", text: savingText(story) };
  switch (story.state) {
    case "undoing": return { state: "saving", text: story.message || "Taking the save back…" };
    case "review": return { state: "review", text: "Ready to review. Nothing is written yet." };
    case "failed": return { state: "failed", text: story.error?.message ?? "Something went wrong." };
    case "cancelled": return { state: "cancelled", text: "Cancelled. Nothing more will happen." };
    case "complete": return completeStatus(story, page.savedBefore);
    case "idle": return page.starting ? { state: "running", text: "Handing the mail in…" } : { state: "idle", text: "" };
    default: return { state: "running", text: story.message || "Reading the mail…" };
  }
}

/** @param {Story} story @param {{by: string} | null} [before] @returns {{state: Status, text: string}} */
function completeStatus({ status, records, completedAt }, before) {
  if (status === "nothing_to_file") return { state: "nothing", text: "Nothing to file." };
  if (status === "preview") return { state: "review", text: "A preview. Nothing was written." };
  if (before) return { state: "saved", text: `Already in the CRM${completedAt ? ` since ${moment(completedAt)}` : ""}${before.by ? `, by ${before.by}` : ""}.` };
  return { state: "saved", text: `Saved. ${records.length === 1 ? "One record is" : `${records.length} records are`} in the CRM.` };
}

/** @param {number} seconds  since the epoch */
const moment = (seconds) => new Date(seconds * 1000).toLocaleString("en-GB", { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" });

/** @param {Story} story */
function savingText({ progress, draft }) {
  const all = draft.reduce((sum, filing) => sum + stepsOf(filing), 0);
  const last = progress.at(-1)?.message;
  if (!progress.length) return "Saving…";
  return `Saving… ${progress.length}${all >= progress.length ? ` of ${all}` : ""}${last ? ` – ${last}` : ""}`;
}

/** @param {any} filing */
const stepsOf = (filing) =>
  ["account", "contact", "deal", "note"].filter((name) => filing[name]).length + (filing.attachments?.length ?? 0);

/** @param {Story} story */
export function whyNothing({ result, issues }) {
  return result?.reason ?? issues[0]?.message ?? "This mail is not about a candidate or a client, so there is nothing to put into the CRM.";
}

/** One quiet line: when the first field came, when all was done; here and at the server.
 * @param {{firstField?: number, total?: number}} here @param {Readonly<Record<string, number>>} server */
export function timingsLine(here, server) {
  const at = (/** @type {number | undefined} */ ms) => (ms === undefined ? null : duration(ms));
  const part = (/** @type {string} */ name, /** @type {string | null} */ mine, /** @type {string | null} */ theirs) =>
    mine || theirs ? `${name} ${mine ?? theirs}${mine && theirs ? ` (server ${theirs})` : ""}` : "";
  return [part("First field", at(here.firstField), at(server.first_field)), part(here.firstField || server.first_field ? "all fields" : "Read in", at(here.total), at(server.extraction))]
    .filter(Boolean).join(" · ");
}
