import assert from "node:assert/strict";
import { test } from "node:test";

import { callsOf, readingsOf, Recording } from "../src/recorder/recording.js";
import { costOf, laneOf, sentenceOf, since } from "../src/recorder/words.js";
import { EMPTY } from "../src/story.js";

/** @param {number} sequence @param {number} timestamp @param {string} type @param {any} [data] @returns {import("../src/story.js").Envelope} */
const event = (sequence, timestamp, type, data = {}) => ({ type, run_id: "r1", sequence, cursor: `1.${sequence}`, timestamp, data });

const start = event(1, 100.1, "extraction_start", { message: "Reading", engine: "model", model: "m", prompt_version: "p1" });
const token = (/** @type {number} */ sequence, /** @type {number} */ at, /** @type {string} */ text) => event(sequence, at, "extraction_token", { token: text });

/** @param {...import("../src/story.js").Envelope} envelopes */
function recorded(...envelopes) {
  const recording = new Recording("r1", 100, envelopes[0].sequence - 1);
  recording.add(envelopes);
  return recording;
}

test("every moment has the story that was told until then", () => {
  const recording = recorded(start, token(2, 100.2, "{\"a"), token(3, 100.3, "\": 1}"));

  assert.deepEqual(recording.stories.map(({ state, tokens }) => [state, tokens]), [["queued", ""], ["extracting", ""], ["extracting", "{\"a"], ["extracting", "{\"a\": 1}"]]);
  assert.equal(recording.stories[3].promptVersion, "p1");
});

test("a silence of days is played in two seconds, and the time that it took stays known", () => {
  const recording = recorded(start, event(2, 400_000, "review_ready", { draft: [] }));

  assert.deepEqual(recording.places.map(Math.round), [0, 100, 2100]);
  assert.equal(Math.round(recording.msAt(2)), 399_900_000);
});

test("a place on the time line shows what was told by then, all of an instant together", () => {
  const recording = recorded(start, token(2, 100.1, "a"), token(3, 100.5, "b"));

  assert.deepEqual([0, 99, 101, 450, 501, 9999].map((position) => recording.countAt(position)), [0, 0, 2, 2, 3, 3]);
});

test("clocks of two hosts that disagree never run the time line backwards", () => {
  assert.deepEqual(recorded(start, token(2, 99, "a")).places.map(Math.round), [0, 100, 100]);
});

test("a step goes one event on; a wide one passes over the model's text and stops at the ends", () => {
  const recording = recorded(start, token(2, 100.2, "a"), token(3, 100.3, "b"), event(4, 100.4, "validation_start", { message: "Checking" }), token(5, 100.5, "c"));

  assert.deepEqual([recording.step(1, 1, false), recording.step(1, 1, true), recording.step(4, -1, true)], [2, 4, 1]);
  assert.deepEqual([recording.step(4, 1, true), recording.step(5, 1, true), recording.step(0, -1, true)], [5, 5, 0]);
});

test("what is here already is passed over, and a log whose beginning is gone begins where it begins", () => {
  const recording = recorded(token(41, 101, "x"), token(42, 102, "y"));
  recording.add([token(42, 102, "y"), token(44, 104, "gap"), token(43, 103, "z")]);

  assert.equal(recording.end, 3);
  assert.equal(recording.stories[3].tokens, "xyz");
  assert.deepEqual([40, 41, 43, 99].map((sequence) => recording.countOf(sequence)), [0, 1, 3, 3]);
});

const stored = (/** @type {string} */ step, /** @type {string} */ action) => ({ step, person: 0, action, id: "7", url: null, message: `${step} ${action}` });

test("each record of a save took the time since the one before it", () => {
  const calls = callsOf([event(1, 10, "zoho_start"), event(2, 10.25, "zoho_progress", stored("account", "created")), event(3, 11.25, "zoho_progress", stored("contact", "reused"))]);

  assert.deepEqual(calls.map(({ step, action, ms, number, attempt }) => [step, action, ms, number, attempt]), [["account", "created", 250, 1, 1], ["contact", "reused", 1000, 1, 1]]);
});

test("a failure is on record, and how long the try after it took is not made up", () => {
  const failure = { code: "crm_unavailable", message: "The CRM cannot be reached.", retryable: true };
  const calls = callsOf([
    event(1, 10, "zoho_start"), event(2, 12, "error", failure), event(3, 500, "zoho_progress", stored("account", "created")), event(4, 501, "zoho_progress", stored("deal", "created")),
  ]);

  assert.deepEqual(calls.map(({ step, ms, attempt }) => [step, ms, attempt]), [["failed", 2000, 1], ["account", null, 2], ["deal", 1000, 2]]);
});

test("what was taken back, and the save after it, are told apart; a failure outside of a save is no call", () => {
  const calls = callsOf([
    event(1, 1, "error", { code: "x", message: "" }), event(2, 10, "zoho_start"), event(3, 11, "zoho_progress", stored("deal", "created")), event(4, 12, "zoho_complete", { records: [] }),
    event(5, 20, "undo_start"), event(6, 21, "undo_progress", { ...stored("deal", "deleted"), action: undefined, outcome: "deleted" }), event(7, 22, "undo_complete"),
    event(8, 30, "zoho_start"), event(9, 31, "zoho_progress", stored("deal", "created")),
  ]);

  assert.deepEqual(calls.map(({ action, number, ms }) => [action, number, ms]), [["created", 1, 1000], ["deleted", 1, 1000], ["created", 2, 1000]]);
});

test("a reader who was cut and came back has read twice; who has not stopped by then reads on", () => {
  const told = [
    { at: 1, reader: "Ann", transport: "websocket", connection: "a", after: 0 }, { at: 3, reader: "Ann", transport: "websocket", connection: "a", after: null },
    { at: 4, reader: "Ann", transport: "sse", connection: "b", after: 12 }, { at: 9, reader: "Ann", transport: "sse", connection: "b", after: null },
  ];

  assert.deepEqual(readingsOf(told, 5).map(({ transport, after, until, again }) => [transport, after, until, again]), [["websocket", 0, 3, false], ["sse", 12, null, true]]);
});

test("every event is said in a sentence, also one that this page does not know yet", () => {
  const field = { person: 1, record: "contact", field: "email", value: "a@x.example", origin: "model", supersedes: "pattern" };

  assert.equal(sentenceOf(event(1, 1, "extraction_field", field)), "Person 2: Contact, email: a@x.example (model, instead of pattern)");
  assert.equal(sentenceOf(event(1, 1, "extraction_start", { message: "Reading the mail again", attempt: 3 })), "Reading the mail again (opened 3 times)");
  assert.equal(sentenceOf(event(1, 1, "moon_phase")), "Moon phase");
  assert.deepEqual(["extraction_token", "duplicate_found", "undo_progress", "research_start", "moon_phase"].map(laneOf), ["model", "crm", "crm", "research", "run"]);
});

test("a cost is told with its currency, or that nobody named a price", () => {
  assert.equal(costOf({ ...EMPTY, usage: { input_tokens: 10, cost: 0.0123, currency: /** @type {any} */ ("EUR") } }), "0.012 EUR");
  assert.equal(costOf({ ...EMPTY, usage: { input_tokens: 10, cost: null } }), "no price is set");
  assert.equal(costOf(EMPTY), "–");
  assert.deepEqual([0, 999, 61_000].map(since), ["+0 ms", "+999 ms", "+1 min"]);
});
