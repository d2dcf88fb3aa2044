import assert from "node:assert/strict";
import { test } from "node:test";

import { EventStream } from "../src/transport/eventstream.js";

/** @param {...string} chunks */
function read(...chunks) {
  const stream = new EventStream();
  return chunks.flatMap((chunk) => stream.feed(chunk));
}

const STREAM = ": hello\nid: 1.1\nevent: extraction_start\ndata: {\"a\": 1}\n\n: keepalive\n\nid: 1.2\ndata: zwei – 🌧\ndata:  two\n\ndata\n\n";
const EVENTS = [
  { type: "extraction_start", data: "{\"a\": 1}", id: "1.1" },
  { type: "message", data: "zwei – 🌧\n two", id: "1.2" },
  { type: "message", data: "", id: "1.2" },
];

for (const [name, end] of [["LF", "\n"], ["CR", "\r"], ["CR LF", "\r\n"]])
  test(`lines may end with ${name}, and the text may be cut anywhere`, () => {
    const text = `\uFEFF${STREAM.replaceAll("\n", end)}`;

    for (let cut = 0; cut <= text.length; cut++) assert.deepEqual(read(text.slice(0, cut), text.slice(cut)), EVENTS, `cut at ${cut}`);
    assert.deepEqual(read(...text), EVENTS);
  });

test("an event without data is no event, and its type is forgotten", () => {
  assert.deepEqual(read("event: a\n\ndata: x\n\n"), [{ type: "message", data: "x", id: "" }]);
});

test("an unfinished event is not told", () => {
  assert.deepEqual(read("data: half\n"), []);
});

test("an id with NUL is not an id", () => {
  assert.equal(read("id: 1\n\nid: 2\0\ndata: x\n\n")[0].id, "1");
});
