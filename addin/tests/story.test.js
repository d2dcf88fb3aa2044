import assert from "node:assert/strict";
import { test } from "node:test";

import { EMPTY, fromSnapshot, isClosed, tell } from "../src/story.js";
import { learnedFrom } from "../src/words.js";

/** @param {number} sequence @param {string} type @param {any} [data] @returns {import("../src/story.js").Envelope} */
const event = (sequence, type, data = {}) => ({ type, run_id: "r1", sequence, cursor: `1.${sequence}`, timestamp: 100 + sequence, data });

/** @param {...[string, any?]} told */
const story = (...told) => told.reduce((so_far, [type, data], index) => tell(so_far, event(index + 1, type, data)), EMPTY);

const start = /** @type {[string, any]} */ (["extraction_start", { message: "Reading", engine: "model", model: "m", language: "en", attempt: 1 }]);
const email = { person: 0, record: "contact", field: "email", value: "a@firm.example", confidence: 0.9, origin: "pattern", evidence: null, supersedes: null };

test("the start says who reads, and that reading is under way", () => {
  const now = story(start);

  assert.equal(now.state, "extracting");
  assert.deepEqual([now.engine, now.model, now.language, now.message], ["model", "m", "en", "Reading"]);
});

test("the model's text grows, and begins anew with a new attempt", () => {
  const told = story(start, ["extraction_token", { token: "{\"a" }], ["extraction_token", { token: "\": 1" }]);

  assert.equal(told.tokens, "{\"a\": 1");
  assert.equal(tell(told, event(4, "extraction_start", { ...start[1], attempt: 2 })).tokens, "");
});

test("a field comes with its confidence, origin and evidence", () => {
  const evidence = { source: "body", start: 3, end: 7, quote: "Maya" };

  const { people } = story(start, ["extraction_field", { ...email, evidence }]);

  assert.deepEqual(people[0].fields["contact.email"], { record: "contact", field: "email", value: "a@firm.example", confidence: 0.9, origin: "pattern", evidence, alternatives: [] });
});

test("a newer value takes the place of the older, and null empties the field", () => {
  const twice = story(["extraction_field", email], ["extraction_field", { ...email, value: "b@firm.example", origin: "model" }]);

  assert.equal(twice.people[0].fields["contact.email"].value, "b@firm.example");
  assert.deepEqual(tell(twice, event(3, "extraction_field", { ...email, value: null })).people[0].fields, {});
});

test("a field of a later person makes room for those before", () => {
  const { people } = story(["extraction_field", { ...email, person: 2 }]);

  assert.deepEqual(people.map((person) => [person.index, Object.keys(person.fields).length]), [[0, 0], [1, 0], [2, 1]]);
});

test("what is true of the whole mail belongs to nobody", () => {
  const told = story(["extraction_field", { ...email, record: "mail", field: "source", value: "Referral" }]);

  assert.equal(told.mail["mail.source"].value, "Referral");
  assert.equal(told.people.length, 0);
});

test("research has a beginning and one end", () => {
  const running = story(["research_start", { message: "Looking", domain: "firm.example" }]);

  assert.equal(running.research?.status, "running");
  assert.deepEqual(tell(running, event(2, "research_result", { status: "timeout", elapsed: 5, result: null })).research,
    { domain: "firm.example", status: "timeout", elapsed: 5, result: null });
});

test("validation replaces the people and brings issues", () => {
  const field = { record: "deal", field: "aum", value: "$1M", confidence: 0.8, origin: "rule", evidence: null, alternatives: [{ value: "$2M", confidence: 0.4, origin: "model" }] };
  const issue = { code: "missing", message: "No title", field: "job_title", person: 0 };

  const told = story(["extraction_field", email], ["validation_start", { message: "Checking" }],
    ["validation_result", { people: [{ index: 0, role: "candidate", fields: [field] }], intent: "candidate", issues: [issue] }]);

  assert.deepEqual(Object.keys(told.people[0].fields), ["deal.aum"]);
  assert.equal(told.people[0].fields["deal.aum"].alternatives[0].value, "$2M");
  assert.deepEqual([told.intent, told.issues, told.message], ["candidate", [issue], "Checking"]);
});

test("a value that an earlier edit left says which one", () => {
  const learned = { rule: 7, original: null, edited_at: "2026-05-03T09:20:00+00:00" };
  const field = { record: "company", field: "website", value: "firm.example", confidence: 0.9, origin: "rule", evidence: null, alternatives: [], learned };

  const told = story(["validation_result", { people: [{ index: 0, role: "candidate", fields: [field] }], intent: "candidate", issues: [] }]);

  assert.deepEqual(told.people[0].fields["company.website"], field);
  assert.equal(learnedFrom(learned), "From an edit on 3 May, instead of nothing.");
  assert.equal(learnedFrom({ ...learned, original: "Acme" }), "From an edit on 3 May, instead of “Acme”.");
});

test("the same duplicate is known once", () => {
  const found = { person: 0, module: "Contacts", id: "7", url: null, matched_on: "email", record: {} };

  assert.equal(story(["duplicate_found", found], ["duplicate_found", found], ["duplicate_found", { ...found, id: "8" }]).duplicates.length, 2);
});

test("review waits with a draft", () => {
  const told = story(start, ["review_ready", { draft: [{ person: 0 }], expires_at: "2026-12-01T00:00:00Z" }]);

  assert.deepEqual([told.state, told.draft.length, told.expiresAt], ["review", 1, "2026-12-01T00:00:00Z"]);
  assert.equal(isClosed(told), false);
});

test("saving is told step by step, and ends with records", () => {
  const step = { step: "contact", person: 0, action: "created", id: "1", url: "/admin/1", message: "Contact" };
  const record = { module: "Contacts", id: "1", url: "/admin/1", action: "created", person: 0 };
  const saving = story(["zoho_start", { message: "Saving", target: "embedded" }], ["zoho_progress", step], ["zoho_complete", { records: [record] }]);

  const saved = tell(saving, event(4, "complete", { status: "saved", result: {}, records: [record], timings: { total: 9 }, usage: { input_tokens: 1 } }));

  assert.deepEqual([saving.state, saving.target, saving.progress], ["saving", "embedded", [step]]);
  assert.deepEqual([saved.state, saved.status, saved.records, saved.timings.total, saved.usage.input_tokens], ["complete", "saved", [record], 9, 1]);
  assert.equal(isClosed(saved), true);
});

test("a save that is taken back leaves no records and a review", () => {
  const record = { module: "deal", id: "1", url: null, action: "created", person: 0 };
  const saved = story(["complete", { status: "saved", result: {}, records: [record], timings: {}, usage: {} }]);

  const undoing = tell(saved, event(2, "undo_start", { message: "Taking the save back", target: "embedded", by: "One" }));
  const undone = tell(undoing, event(3, "undo_complete", { records: [{ ...record, outcome: "deleted", reason: null }] }));
  const review = tell(undone, event(4, "review_ready", { draft: [{ person: 0 }], expires_at: null }));

  assert.deepEqual([undoing.state, undoing.status, isClosed(undoing)], ["undoing", null, false]);
  assert.deepEqual([review.state, review.records, review.progress], ["review", [], []]);
});

test("nothing to file keeps its reason", () => {
  const told = story(["complete", { status: "nothing_to_file", result: { reason: "A newsletter." }, records: [], timings: {}, usage: {} }]);

  assert.deepEqual([told.status, told.result.reason], ["nothing_to_file", "A newsletter."]);
});

test("a failure that can be retried leaves the run open, and a new start forgets it", () => {
  const failed = story(["error", { code: "crm_unavailable", message: "The CRM cannot be reached.", retryable: true, correlation_id: "c" }]);

  assert.deepEqual([failed.state, failed.error?.message, isClosed(failed)], ["failed", "The CRM cannot be reached.", false]);
  assert.equal(tell(failed, event(2, "zoho_start", { message: "", target: "embedded" })).error, null);
  assert.equal(isClosed(story(["error", { code: "x", message: "", retryable: false }])), true);
});

test("cancelled is the end", () => {
  const told = story(start, ["cancelled", { by: "user" }]);

  assert.deepEqual([told.state, told.cancelledBy, isClosed(told)], ["cancelled", "user", true]);
});

test("what was told before is dropped", () => {
  const told = story(start, ["extraction_token", { token: "a" }]);

  assert.equal(tell(told, event(2, "extraction_token", { token: "a" })), told);
  assert.equal(tell(told, event(1, ...start)), told);
});

test("a gap is seen and nothing is applied until it is filled", () => {
  const gap = tell(story(start), event(3, "extraction_token", { token: "late" }));

  assert.deepEqual([gap.gap, gap.sequence, gap.tokens], [true, 1, ""]);
  assert.equal(tell(gap, event(2, "extraction_token", { token: "in time" })).gap, false);
});

test("frames of the connection change nothing", () => {
  const told = story(start);

  assert.equal(tell(told, { ...event(0, "pong"), sequence: 0 }), told);
});

test("an event of a newer server is passed over without a gap", () => {
  const told = tell(story(start), event(2, "horoscope_cast", { sign: "♌" }));

  assert.deepEqual([told.sequence, told.gap, told.state], [2, false, "extracting"]);
});

const SNAPSHOT = {
  run_id: "r1", state: "review", mode: "review", cursor: "2.40", engine: "patterns", intent: "candidate", draft: null, research: null, duplicates: [],
  people: [{ index: 0, role: null, fields: [{ record: "contact", field: "email", value: "z@firm.example", confidence: 1, origin: "rule", evidence: null, alternatives: [] }] }],
  records: [], issues: [], timings: { first_field: 12 }, usage: null, error: null, links: {},
};

test("a reset replaces everything and goes on from its own place", () => {
  const told = tell(story(start, ["extraction_field", email]), { ...event(40, "reset", { reason: "rebuilt", first_available: 1, state: SNAPSHOT }), cursor: "2.40" });

  assert.deepEqual([told.sequence, told.cursor, told.state, told.tokens], [40, "2.40", "review", ""]);
  assert.equal(told.people[0].fields["contact.email"].value, "z@firm.example");
  assert.equal(tell(told, event(41, "zoho_start", { message: "", target: "embedded" })).state, "saving");
});

test("a snapshot of a run that is over says how it ended", () => {
  assert.equal(fromSnapshot({ ...SNAPSHOT, state: "complete" }).status, "saved");
  assert.equal(fromSnapshot({ ...SNAPSHOT, state: "complete", intent: "none" }).status, "nothing_to_file");
  assert.equal(fromSnapshot({ ...SNAPSHOT, state: "complete", status: "preview" }).status, "preview");
});
