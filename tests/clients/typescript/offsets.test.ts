import assert from "node:assert/strict";
import test from "node:test";

import { Offsets } from "./offsets.js";

/** A span's offsets as whosaid counts them. */
function span(text: string, piece: string) {
  const start = [...text.slice(0, text.indexOf(piece))].length;
  return { start, end: start + [...piece].length };
}

const texts = {
  plain: "“We are ready,” she added.",
  "an emoji before": "😀🚢 Good news: “We are ready,” she added.",
  "a family and a flag before": "👩‍👩‍👧 🇵🇹 “We are ready,” she added.",
  "combining marks before": "A cafe\u0301 in A\u0303 spoke: “We are ready,” she added.",
  "an emoji after": "“We are ready,” she added 😀.",
};

for (const [name, text] of Object.entries(texts)) {
  test(`a quotation with ${name}`, () => {
    const offsets = new Offsets(text);
    for (const piece of ["“We are ready,”", "she", "added"]) {
      assert.equal(offsets.slice(span(text, piece)), piece);
      const units = { start: text.indexOf(piece), end: text.indexOf(piece) + piece.length };
      assert.deepEqual(offsets.units(span(text, piece)), units);
      assert.deepEqual(offsets.points(units), span(text, piece));
    }
    const all = { start: 0, end: [...text].length };
    assert.equal(offsets.slice(all), text);
    assert.deepEqual(offsets.points({ start: 0, end: text.length }), all);
  });
}

test("slicing without the helper goes wrong", () => {
  const text = texts["an emoji before"];
  const { start, end } = span(text, "she");
  assert.notEqual(text.slice(start, end), "she");
});

test("half a character is taken as all of it", () => {
  assert.deepEqual(new Offsets("a😀b").points({ start: 2, end: 2 }), { start: 1, end: 2 });
});

test("a span that the text does not have is refused", () => {
  for (const wrong of [{ start: 0, end: 4 }, { start: -1, end: 1 }, { start: 2, end: 1 }]) {
    assert.throws(() => new Offsets("abc").slice(wrong), RangeError);
  }
});

test("an empty text has one empty span", () => {
  assert.equal(new Offsets("").slice({ start: 0, end: 0 }), "");
});
