import assert from "node:assert/strict";
import { test } from "node:test";

import { EMPTY } from "../src/story.js";

/** @type {any} */ (globalThis).document = { getElementById: () => null };
const { outcomeOf, tryWebSocketConnection } = await import("../src/commands.js");

const person = { index: 0, role: "candidate", fields: { "contact.full_name": { record: "contact", field: "full_name", value: "Ann Lee", confidence: 1, origin: "pattern", evidence: null, alternatives: [] } } };
const record = { module: "Deals", id: "1", url: null, action: "created", person: 0 };

for (const [what, story, kind, text] of /** @type {[string, any, string, RegExp][]} */ ([
  ["saved", { state: "complete", status: "saved", people: [person], records: [record, record] }, "done", /^Ann Lee: 2 records/],
  ["two people", { state: "complete", status: "saved", people: [person, person], records: [record] }, "done", /^Ann Lee and 1 more/],
  ["nobody", { state: "complete", status: "nothing_to_file" }, "done", /Nothing to file/],
  ["a duplicate", { state: "review", duplicates: [{}] }, "error", /may hold this already/],
  ["something missing", { state: "review" }, "error", /Nothing was saved/],
  ["a failure", { state: "failed", error: { code: "crm", message: "The CRM is away.", retryable: true } }, "error", /The CRM is away/],
]))
  test(`the notification bar tells the truth of ${what}`, () => {
    const outcome = outcomeOf({ ...EMPTY, ...story });

    assert.equal(outcome.kind, kind);
    assert.match(outcome.text, text);
  });

test("no WebSocket is tried where the server or the browser has none", async () => {
  const server = (/** @type {any} */ features, WebSocket = class {}) => /** @type {any} */ ({ WebSocket, negotiate: async () => ({ features }) });

  assert.ok(await tryWebSocketConnection(server({ websocket: true })));
  assert.equal(await tryWebSocketConnection(server({ websocket: false })), null);
  assert.equal(await tryWebSocketConnection(server({ websocket: true }, /** @type {any} */ (null))), null);
});
