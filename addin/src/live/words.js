// What the live page calls its figures.

export const KINDS = /** @type {Record<string, string>} */ ({
  first_field_ms: "First field", first_token_ms: "First token of the model", field_ms: "A field, told to stored", total_ms: "All fields", ws_latency_ms: "Event to socket",
});

/** @typedef {(now: any) => string} Told  of a snapshot */

/** @type {[string, Told, Told?][]} */
export const TILES = [
  ["connections", (now) => String(now.connections.total), (now) => counted(now.connections.by_transport)],
  ["open runs", (now) => (now.runs ? String(sum(now.runs)) : "–"), (now) => counted(now.runs ?? {})],
  ["waiting for a worker", (now) => (now.queue ? String(now.queue.depth) : "–"), (now) => (now.queue?.depth ? `oldest ${lasting(now.queue.oldest_seconds)}` : "")],
  ["events a second", (now) => now.events_per_second.toFixed(1), (now) => (now.queued_events ? `${now.queued_events} runs to be written` : "")],
  ["slow readers", (now) => String(now.slow_readers)],
  ["this hour", (now) => (now.hour ? `${now.hour.started} runs` : "–"), (now) => (now.hour ? `${now.hour.saved} saved, ${now.hour.failed} failed` : "")],
  ["model this hour", (now) => (now.hour ? `${short(now.hour.input_tokens + now.hour.output_tokens)} tokens` : "–"),
    (now) => (now.hour ? [now.hour.cost === null ? "" : `costs ${now.hour.cost.toFixed(2)}`, `${now.hour.model_failures} failures`].filter(Boolean).join(", ") : "")],
  ["calls to the CRM", (now) => String(now.crm.calls), (now) => [`${now.crm.retries} again`, now.crm.credits_left === null ? "" : `${now.crm.credits_left} credits left`].filter(Boolean).join(", ")],
];

/** @param {number | null} value */
export const milliseconds = (value) => (value === null ? "–" : value >= 100 ? String(Math.round(value)) : value.toFixed(1));

/** @param {number} seconds */
export function lasting(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min` : `${Math.floor(seconds / 86_400)} days`;
}

/** @param {Record<string, number>} counts */
const counted = (counts) => Object.entries(counts).filter(([, count]) => count).map(([name, count]) => `${count} ${name}`).join(", ");

/** @param {Record<string, number>} counts */
const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);

/** @param {number} count */
const short = (count) => (count >= 10_000 ? `${Math.round(count / 1000)} k` : String(count));
