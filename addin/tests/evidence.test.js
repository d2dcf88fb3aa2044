import assert from "node:assert/strict";
import { test } from "node:test";

import { cut, utf16Indices } from "../src/evidence.js";

/** As the server counts. @param {string} text @param {number} start @param {number} end */
const points = (text, start, end) => [...text].slice(start, end).join("");

test("code points become UTF-16 indices, also behind an emoji", () => {
  const text = "a🌧b👩🏽‍🚒c";

  const offsets = [...text].map((_, index) => index);

  assert.deepEqual(utf16Indices(text, offsets).map((index) => text.codePointAt(index)), [...text].map((char) => char.codePointAt(0)));
});

test("an offset beyond the end is the end", () => {
  assert.deepEqual(utf16Indices("a🌧", [0, 2, 99]), [0, 3, 3]);
});

test("a text is cut at its marks and loses nothing", () => {
  const text = "🌧 Maya Lindqvist, Portland";
  const marks = [{ key: "name", start: 2, end: 16 }, { key: "last", start: 7, end: 16 }, { key: "city", start: 18, end: 26 }];

  const pieces = cut(text, marks);

  assert.equal(pieces.map((piece) => piece.text).join(""), text);
  for (const { key, start, end } of marks)
    assert.equal(pieces.filter(({ keys }) => keys.includes(key)).map((piece) => piece.text).join(""), points(text, start, end));
});

test("without marks the text stays whole, and an empty text has no pieces", () => {
  assert.deepEqual(cut("abc", []), [{ text: "abc", keys: [] }]);
  assert.deepEqual(cut("", []), []);
});
