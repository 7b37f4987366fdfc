/** @file Long texts in pieces that fit, cut at the best place there is. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { cutIds, cutText } from "../../src/data/cut-text.ts";

/** Words and signs, about as a tokenizer counts them. */
const count = (text: string) => text.match(/ ?\w+|[^\w]/gu)?.length ?? 0;

test("at blank lines, then line ends, then sentence ends, then blanks, then anywhere", () => {
  const length = (text: string) => text.length;
  expect(cutText("aa bb\n\ncc\ndd", length, 8)).toEqual(["aa bb", "cc\ndd"]);
  expect(cutText("aaa\nbbb\nccc", length, 8)).toEqual(["aaa\nbbb", "ccc"]);
  expect(cutText('One "two." Three.', length, 10)).toEqual(['One "two."', "Three."]);
  expect(cutText("one two three", length, 8)).toEqual(["one two", "three"]);
  expect(cutText("abcdefghij", length, 4)).toEqual(["abcd", "efgh", "ij"]);
  expect(cutText("x\n\nabcdefghi\n\ny", length, 4)).toEqual(["x", "abcd", "efgh", "i\n\ny"]);
});

test("pieces hold all but white space at the cuts, fit, and do not cut a character in two", () => {
  const unit = fc.constantFrom("word", " ", "\n", "\n\n", ".", "🙂", "é", "looooooong", '"', "?");
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 80 }), fc.integer({ min: 1, max: 12 }), (units, most) => {
      const text = units.join("");
      const pieces = cutText(text, count, most);
      expect(pieces.join("").replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
      let at = 0;
      for (const piece of pieces) {
        expect(piece).toBe(piece.trim());
        expect(/\p{Surrogate}/u.test(piece)).toBe(false);
        at = text.indexOf(piece, at) + piece.length;
        expect(at).toBeGreaterThanOrEqual(piece.length);
      }
    }),
  );
});

test("no piece has more tokens than fit, where tokens do not join over a cut", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("ab", " ", "\n\n", ". ", "longer"), { maxLength: 60 }), (units) => {
      for (const piece of cutText(units.join(""), (text) => text.length, 9))
        expect(piece.length).toBeLessThanOrEqual(9);
    }),
  );
});

test("every token of ids but the first is predicted once", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 50 }), fc.integer({ min: 2, max: 12 }), (n, most) => {
      const windows = cutIds([...Array(n).keys()], most);
      expect(windows.flatMap((window) => window.slice(1))).toEqual([...Array(n).keys()].slice(1));
      for (const window of windows) {
        expect(window.length).toBeGreaterThan(1);
        expect(window.length).toBeLessThanOrEqual(most);
      }
    }),
  );
});
