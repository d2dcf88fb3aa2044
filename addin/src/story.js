// A run as its log tells it: a pure reducer. No DOM, no network, no clock.

/**
 * @typedef {{source: string, start: number, end: number, quote: string, status?: string}} Evidence
 *   `start` and `end` count Unicode code points, half-open.
 * @typedef {{value: string | string[], confidence: number, origin: string}} Alternative
 * @typedef {{rule: number, original: string | null, edited_at: string}} Learned  the earlier edit that a value comes from
 * @typedef {Alternative & {record: string, field: string, evidence: Evidence | null, alternatives: Alternative[], learned?: Learned}} Field
 * @typedef {{index: number, role: string, fields: Readonly<Record<string, Field>>}} Person  `fields` by "record.field"
 * @typedef {{type: string, run_id: string, sequence: number, cursor: string, timestamp: number, data: any}} Envelope
 * @typedef {{code: string, message: string, field?: string | null, person?: number | null}} Issue
 * @typedef {{person: number, module: string, id: string, url: string | null, matched_on: string, record: any}} Duplicate
 * @typedef {{step: string, person: number, action: string, id: string | null, url: string | null, message: string}} Progress
 * @typedef {{module: string, id: string, url: string | null, action: string, person: number}} Stored
 * @typedef {{code: string, message: string, retryable: boolean, correlation_id?: string}} Failure
 * @typedef {"idle" | "queued" | "extracting" | "review" | "saving" | "undoing" | "complete" | "failed" | "cancelled"} State
 * @typedef {object} Story
 * @property {string | null} runId
 * @property {number} sequence  of the last event applied
 * @property {string | null} cursor
 * @property {boolean} gap  an event came that is not the next one: fetch what is missing
 * @property {State} state
 * @property {string} message  what the server says it is doing
 * @property {string} engine
 * @property {string | null} model
 * @property {string | null} promptVersion  null when no model was asked
 * @property {string | null} language
 * @property {string | null} intent
 * @property {readonly Person[]} people
 * @property {Readonly<Record<string, Field>>} mail  what is true of the whole mail (source, intent …)
 * @property {string} tokens  the model's answer so far
 * @property {{domain: string, status: string, elapsed: number, result: any} | null} research
 * @property {readonly Issue[]} issues
 * @property {readonly any[]} draft
 * @property {string | null} expiresAt
 * @property {readonly Duplicate[]} duplicates
 * @property {readonly Progress[]} progress
 * @property {string | null} target
 * @property {readonly Stored[]} records
 * @property {"saved" | "preview" | "nothing_to_file" | null} status
 * @property {any} result
 * @property {Readonly<Record<string, number>>} timings  ms, measured by the server
 * @property {Readonly<Record<string, number | null>>} usage
 * @property {Failure | null} error
 * @property {string | null} cancelledBy
 * @property {number | null} completedAt  epoch seconds
 */

/** @type {Story} */
export const EMPTY = Object.freeze({
  runId: null, sequence: 0, cursor: null, gap: false, state: "idle", message: "", engine: "", model: null, promptVersion: null, language: null,
  intent: null, people: [], mail: {}, tokens: "", research: null, issues: [], draft: [], expiresAt: null, duplicates: [],
  progress: [], target: null, records: [], status: null, result: null, timings: {}, usage: {}, error: null, cancelledBy: null, completedAt: null,
});

/**
 * Apply an event when it is the next one; drop it when it was told before; on a gap only say so.
 * @param {Story} story @param {Envelope} envelope @returns {Story}
 */
export function tell(story, envelope) {
  if (envelope.type === "reset") return { ...fromSnapshot(envelope.data.state), ...place(envelope) };
  if (envelope.sequence <= story.sequence) return story;
  if (envelope.sequence !== story.sequence + 1) return { ...story, gap: true };
  const change = TOLD[envelope.type]?.(story, envelope.data, envelope) ?? {};
  return { ...story, ...change, ...place(envelope) };
}

/** May more events follow, without anybody's doing? @param {Story} story */
export const isClosed = (story) =>
  story.state === "complete" || story.state === "cancelled" || (story.state === "failed" && !story.error?.retryable);

/** @param {Envelope} envelope */
const place = ({ run_id: runId, sequence, cursor }) => ({ runId, sequence, cursor, gap: false });

/** @type {Record<string, (story: Story, data: any, envelope: Envelope) => Partial<Story>>} */
const TOLD = {
  extraction_start: (story, data, { timestamp }) => ({
    state: "extracting", message: data.message, engine: data.engine, model: data.model ?? null, promptVersion: data.prompt_version ?? null, language: data.language ?? null,
    tokens: "", error: null, timings: { ...story.timings, started: timestamp * 1000 },
  }),
  extraction_token: (story, data) => ({ tokens: story.tokens + data.token }),
  extraction_field: (story, data, { timestamp }) => ({ ...withField(story, data), timings: measured(story, "first_field", timestamp) }),
  research_start: (_, data) => ({ research: { domain: data.domain, status: "running", elapsed: 0, result: null } }),
  research_result: (story, data) => ({
    research: { domain: story.research?.domain ?? "", status: data.status, elapsed: data.elapsed, result: data.result ?? null },
  }),
  validation_start: (_, data) => ({ message: data.message }),
  validation_result: (story, data) => ({
    people: data.people.map(personFrom), intent: data.intent, issues: data.issues ?? [], usage: data.usage ?? story.usage,
  }),
  duplicate_found: (story, data) => ({
    duplicates: [...story.duplicates.filter((known) => known.id !== data.id || known.person !== data.person), data],
  }),
  review_ready: (story, data, { timestamp }) => ({
    state: "review", message: "", draft: data.draft ?? [], expiresAt: data.expires_at ?? null, error: null,
    timings: measured(story, "extraction", timestamp),
  }),
  zoho_start: (_, data) => ({ state: "saving", message: data.message, target: data.target, error: null }),
  zoho_progress: (story, data) => ({ progress: [...story.progress, data] }),
  zoho_complete: (_, data) => ({ records: data.records }),
  undo_start: (_, data) => ({ state: "undoing", message: data.message, target: data.target, status: null, error: null }),
  undo_complete: () => ({ progress: [], records: [] }),
  complete: (story, data, { timestamp }) => ({
    state: "complete", completedAt: timestamp, message: "", status: data.status, result: data.result ?? null, records: data.records ?? story.records,
    timings: { ...story.timings, ...data.timings }, usage: data.usage ?? {}, error: null,
  }),
  error: (_, data) => ({ state: "failed", message: "", error: data }),
  cancelled: (_, data) => ({ state: "cancelled", message: "", cancelledBy: data.by }),
};

/** Milliseconds since the start; only the first time counts. @param {Story} story @param {string} name @param {number} at */
function measured({ timings }, name, at) {
  return name in timings || !timings.started ? timings : { ...timings, [name]: Math.max(0, Math.round(at * 1000 - timings.started)) };
}

/** @param {Story} story @param {any} data @returns {Partial<Story>} */
function withField(story, { person, ...told }) {
  const field = fieldFrom(told);
  const name = `${field.record}.${field.field}`;
  if (field.record === "mail") return { mail: having(story.mail, name, field) };
  const people = [...story.people];
  for (let index = people.length; index <= person; index++) people.push({ index, role: "candidate", fields: {} });
  people[person] = { ...people[person], fields: having(people[person].fields, name, field) };
  return { people };
}

/** @param {Readonly<Record<string, Field>>} fields @param {string} name @param {Field} field */
function having(fields, name, field) {
  const { [name]: _, ...others } = fields;
  return field.value === null ? others : { ...others, [name]: field };
}

/** @param {any} given @returns {Field} */
const fieldFrom = ({ record, field, value, confidence, origin, evidence, alternatives, learned }) =>
  ({ record, field, value, confidence, origin, evidence: evidence ?? null, alternatives: alternatives ?? [], ...(learned ? { learned } : {}) });

/** @param {any} given @returns {Person} */
function personFrom({ index, role, fields }) {
  const named = fields.map((/** @type {any} */ given) => [`${given.record}.${given.field}`, fieldFrom(given)]);
  return { index, role: role ?? "candidate", fields: Object.fromEntries(named) };
}

/**
 * The story that a snapshot of a run holds (contract §9.11). The model's text is not part of it.
 * @param {any} snapshot @returns {Story}
 */
export function fromSnapshot(snapshot) {
  return {
    ...EMPTY,
    runId: snapshot.run_id, cursor: snapshot.cursor, sequence: Number(snapshot.cursor?.split(".")[1] ?? 0), state: snapshot.state,
    engine: snapshot.engine ?? "", promptVersion: snapshot.prompt_version ?? null, intent: snapshot.intent ?? null, people: (snapshot.people ?? []).map(personFrom),
    research: Array.isArray(snapshot.research) ? snapshot.research.at(-1) ?? null : snapshot.research ?? null,
    duplicates: snapshot.duplicates ?? [], records: snapshot.records ?? [], issues: snapshot.issues ?? [],
    draft: snapshot.draft ?? [], timings: snapshot.timings ?? {}, usage: snapshot.usage ?? {}, error: snapshot.error ?? null,
    status: snapshot.status ?? statusFrom(snapshot), result: snapshot.result ?? null,
  };
}

/** @param {any} snapshot @returns {Story["status"]} */
function statusFrom({ state, mode, intent }) {
  if (state !== "complete") return null;
  return intent === "none" ? "nothing_to_file" : mode === "preview" ? "preview" : "saved";
}
