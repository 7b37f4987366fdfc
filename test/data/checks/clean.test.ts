/** @file Clean data have no finding, whatever they look like; and the order of findings is the checks' order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { cleanPairs, EOS, findingsOf, type Given } from "./support.ts";

test("pairs without a fault, of any number, with or without an evaluation", () => {
  for (const count of [1, 2, 3, 10, 100, 1000])
    for (const held of [undefined, cleanPairs(count, 5000)]) {
      const trained = { eosTokenId: EOS };
      expect(
        findingsOf(cleanPairs(count), { ...(held === undefined ? {} : { eval: held }), trained }),
      ).toEqual([]);
      expect(findingsOf(cleanPairs(count), { maxLength: 150, overlong: "left", padTokenId: 9 })).toEqual([]);
    }
});

/** Words that no special token and no merging "th" is made of. */
const word = fc.stringMatching(/^[a-g]{1,8}$/);
const text = fc.array(word, { minLength: 1, maxLength: 8 }).map((words) => words.join(" "));

test("generated data: numbered replies of any text, in any order", () => {
  const pairs = fc.array(fc.record({ prompt: text, reply: text, other: text, swap: fc.boolean() }), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(pairs, (drawn) => {
      // Each pair stands twice with its lengths mirrored, so that no rule of length or format can predict it.
      const given = drawn.flatMap(({ prompt, reply, other }, i): Given[] => [
        { prompt: `${prompt}:`, chosen: ` ${reply} a${i}`, rejected: ` ${other} b${i}` },
        { prompt: `${prompt}:`, chosen: ` ${other} a${i}`, rejected: ` ${reply} b${i}` },
      ]);
      expect(findingsOf(given)).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

test("no record at all: nothing to find", () => {
  expect(findingsOf([])).toEqual([]);
});
