/** @file Where replies begin, against a count by hand and against every way to cut. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Content } from "../../src/data/content.ts";
import { replyStart } from "../../src/data/reply-start.ts";
import { type TokeniseOptions, tokenise, truncate } from "../../src/data/tokenise.ts";
import { BOS, EOS, encoder } from "./checks/support.ts";

const recipe = { addEos: true, eosTokenId: EOS } as const;
const options: TokeniseOptions = { encoder, recipe, vocabSize: 70_000, measurePrompts: true };
const text = (prompt: string, ...replies: string[]): Content => ({ kind: "text", prompt, replies });
const starts = (content: Content, more: Partial<TokeniseOptions> = {}) =>
  tokenise(content, "x:1", { ...options, ...more }).replyStarts;

describe("the reply's first token", () => {
  it("follows the prompt's last, which may be a BOS", () => {
    expect(starts(text("ab", "c", "de"))).toEqual([3, 3]);
    expect(starts(text("", "cd"))).toEqual([1]);
    expect(starts({ kind: "ids", prompt: [7, 8], replies: [[9], []] })).toEqual([2, 2]);
  });

  it("is at least 1: nothing stands before the first token", () => {
    expect(starts({ kind: "ids", prompt: [], replies: [[9, 9]] })).toEqual([1]);
    expect(starts({ kind: "ids", prompt: [], replies: [[9]] })).toEqual([1]);
  });

  it("is the merged token where prompt and reply merge", () => {
    // "t" and "h" become one token: the prompt's own "t" is not there.
    expect(starts(text("at", "he", "e"))).toEqual([2, 3]);
  });

  it("moves with a cut at the left, which keeps the BOS; a cut at the right may leave the ending alone", () => {
    const content = text("abcd", "efg");
    expect(starts(content, { maxLength: 6, overlong: "left" })).toEqual([2]);
    expect(starts(content, { maxLength: 4, overlong: "left" })).toEqual([1]);
    expect(starts(content, { maxLength: 6, overlong: "right" })).toEqual([5]);
    expect(starts(content, { maxLength: 4, overlong: "right" })).toEqual([3]);
  });

  it("is not looked for where nobody asks", () => {
    expect(starts(text("ab", "c"), { measurePrompts: false })).toBeUndefined();
  });
});

it("what is left of the reply after any cut is what stands from the start on", () => {
  const side = fc.constantFrom("left" as const, "right" as const);
  const sizes = fc.record({
    prompt: fc.nat(12),
    reply: fc.nat(12),
    ending: fc.nat(2),
    most: fc.integer({ min: 1, max: 30 }),
  });
  fc.assert(
    fc.property(side, sizes, fc.boolean(), (cutAt, { prompt, reply, ending, most }, bos) => {
      // The BOS is 1, the prompt 1000..., the reply 2000..., its ending 3000...
      const run = (from: number, n: number) => Array.from({ length: n }, (_, i) => from + i);
      const own = [...(bos ? [BOS] : []), ...run(1000, prompt)];
      const whole = Int32Array.from([...own, ...run(2000, reply), ...run(3000, ending)]);
      fc.pre(whole.length > 0);
      const cut = truncate(whole, most, cutAt, ending, BOS);
      const start = replyStart({ whole, cut, kept: own.length, ending }, cutAt, BOS);
      const first = cut.findIndex((id) => id >= 2000);
      expect(start).toBe(Math.min(Math.max(first < 0 ? cut.length : first, 1), cut.length));
    }),
    { numRuns: 500 },
  );
});
