import assert from "node:assert/strict";
import { test } from "node:test";

import { isDegraded, secondFrom } from "../src/second.js";
import { EMPTY } from "../src/story.js";

/** @param {string} name "record.field" @param {string | string[]} value @param {string} origin */
function field(name, value, origin) {
  const [record, field] = name.split(".");
  return { [name]: { record, field, value, origin, confidence: 0.9, evidence: null, alternatives: [] } };
}

/** @param {...object} people @returns {import("../src/story.js").Story} */
const story = (...people) => ({ ...EMPTY, people: people.map((fields, index) => ({ index, role: "candidate", fields: /** @type {any} */ (fields) })) });

const run = story({ ...field("contact.city", "Reno", "pattern"), ...field("contact.phone", "+12605550144", "pattern") });

test("what the model says otherwise, or besides, is offered; what it confirms, and what the rules say, is not", () => {
  const second = story({
    ...field("contact.city", "Elko", "model"), ...field("contact.phone", "+12605550144", "model"), ...field("deal.licenses", ["Series 7", "Series 66"], "model"),
    ...field("deal.source", "Referral", "rule"),
  });

  assert.deepEqual(secondFrom(run, second), {
    asking: false, message: "",
    said: [{ key: "0.contact.city", label: "Contact, city", text: "Elko", sure: "sure" }, { key: "0.deal.licenses", label: "Deal, licenses", text: "Series 7, Series 66", sure: "sure" }],
  });
});

test("a person whom the run does not know has no field to be taken into", () => {
  assert.deepEqual(secondFrom(run, story(run.people[0].fields, field("contact.city", "Elko", "model"))).said, []);
});

test("a model that fails again, or says nothing else, is told in a sentence", () => {
  const failed = { ...story(field("contact.city", "Elko", "model")), issues: [{ code: "model_unavailable", message: "The language model cannot be reached." }] };

  assert.deepEqual([secondFrom(run, failed).message, secondFrom(run, failed).said], ["The language model cannot be reached.", []]);
  assert.equal(secondFrom(run, run).message, "It says nothing else.");
  assert.deepEqual([isDegraded(failed), isDegraded(run)], [true, false]);
});
