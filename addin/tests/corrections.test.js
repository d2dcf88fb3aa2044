import assert from "node:assert/strict";
import { test } from "node:test";

import { correctionsFrom, edited, having, UNEDITED } from "../src/corrections.js";
import { shown } from "../src/fields.js";
import { senderFrom } from "../src/mailin.js";

test("without edits nothing is corrected", () => {
  assert.deepEqual(correctionsFrom(UNEDITED, ["cv.pdf"]), { people: [] });
});

test("only what was edited is sent, by person and record", () => {
  let edits = edited(UNEDITED, "1.deal.aum", "$2M");
  edits = edited(edits, "0.contact.email", " a@firm.example ");
  edits = edited(edits, "0.contact.phone", "");
  edits = edited(edits, "0.deal.licenses", "Series 7, Series 66");

  assert.deepEqual(correctionsFrom(edits).people, [
    { index: 0, skip: false, contact: { email: "a@firm.example", phone: null }, deal: { licenses: ["Series 7", "Series 66"] } },
    { index: 1, skip: false, deal: { aum: "$2M" } },
  ]);
});

test("an edit can be taken back", () => {
  assert.deepEqual(edited(edited(UNEDITED, "0.deal.aum", "$2M"), "0.deal.aum", null), UNEDITED);
});

test("a person, a file and a duplicate are the user's choice", () => {
  const edits = { ...UNEDITED, skipped: having(UNEDITED.skipped, 1, true), without: ["logo.png"], allowDuplicate: true };

  assert.deepEqual(correctionsFrom(edits, ["cv.pdf", "logo.png"]),
    { people: [{ index: 1, skip: true }], attachments: ["cv.pdf"], allow_duplicate: true });
});

test("a number is shown in groups, whatever else stays as it is", () => {
  assert.equal(shown("+15035550142"), "+1 503-555-0142");
  assert.equal(shown("+4930123456"), "+4930123456");
  assert.equal(shown(["Series 7", "Series 66"]), "Series 7, Series 66");
});

test("a sender may be typed with or without a name", () => {
  assert.deepEqual(senderFrom("\"Lindqvist, Maya\" <maya@firm.example>"), { sender_email: "maya@firm.example", sender_name: "Lindqvist, Maya" });
  assert.deepEqual(senderFrom(" maya@firm.example "), { sender_email: "maya@firm.example" });
  assert.deepEqual(senderFrom("Maya"), { sender_email: "", sender_name: "Maya" });
});
