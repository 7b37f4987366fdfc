/** @file Joining, end of sequence, truncation and counts, with a tokenizer of one id per character. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Content } from "../../src/data/content.ts";
import { type TokeniseOptions, tokenise, tokeniseAll, truncate } from "../../src/data/tokenise.ts";
import { InputError } from "../../src/errors.ts";

const BOS = 1;
const EOS = 2;
/** A BOS, then code units; "$" is the EOS. */
const encoder = {
  bosTokenId: BOS,
  encode: (text: string, { addSpecialTokens }: { readonly addSpecialTokens: boolean }) => {
    const ids = Array.from(text, (c) => (c === "$" ? EOS : c.charCodeAt(0)));
    return Int32Array.from(addSpecialTokens ? [BOS, ...ids] : ids);
  },
};
const options: TokeniseOptions = { encoder, recipe: { addEos: true, eosTokenId: EOS }, vocabSize: 200 };
const pair = (prompt: string, chosen: string, rejected: string): Content => ({
  kind: "text",
  prompt,
  replies: [chosen, rejected],
});
const codes = (text: string) => Array.from(text, (c) => c.charCodeAt(0));
const show = (item: { readonly sequences: readonly Int32Array[] }) => item.sequences.map((ids) => [...ids]);

test("prompt and reply are one string with one BOS, and end in exactly one EOS", () => {
  const seen: string[] = [];
  const spy = { ...encoder, encode: (text: string) => Int32Array.from([seen.push(text)]) };
  tokenise(pair("ab", " c", "d"), "w", { ...options, encoder: spy });
  expect(seen).toEqual(["ab c", "abd"]);
  expect(show(tokenise(pair("a", "b", "c$"), "w", options))).toEqual([
    [BOS, ...codes("ab"), EOS],
    [BOS, ...codes("ac"), EOS],
  ]);
  const without = { ...options, recipe: { addEos: false, eosTokenId: EOS } };
  expect(show(tokenise(pair("a", "b", "c$"), "w", without))).toEqual([
    [BOS, ...codes("ab")],
    [BOS, ...codes("ac"), EOS],
  ]);
});

test("ids are taken as they are, and need no tokenizer", () => {
  const content: Content = { kind: "ids", prompt: [7, 8], replies: [[9], [10, EOS]] };
  expect(show(tokenise(content, "w", { recipe: options.recipe, vocabSize: 11 }))).toEqual([
    [7, 8, 9],
    [7, 8, 10, EOS],
  ]);
  expect(() => tokenise(content, "f:3", { recipe: options.recipe, vocabSize: 10 })).toThrow(
    "f:3: token id 10 is outside the model's vocabulary (0 to 9)",
  );
  expect(() => tokenise(pair("", "a", "b"), "f:3", { recipe: options.recipe, vocabSize: 10 })).toThrow(
    InputError,
  );
  expect(() => tokenise({ kind: "ids", prompt: [], replies: [[]] }, "f:3", options)).toThrow(
    "f:3: an empty sequence",
  );
});

test("equal prompts give one group, text and ids apart; no prompt gives none", () => {
  const group = (content: Content) => tokenise(content, "w", options).group;
  expect(group(pair("p", "a", "b"))).toBe(group(pair("p", "c", "d")));
  expect(group(pair("p", "a", "b"))).not.toBe(group(pair("q", "a", "b")));
  expect(group({ kind: "ids", prompt: [5], replies: [[1]] })).not.toBe(group(pair("5", "a", "b")));
  expect(group(pair("", "a", "b"))).toBeUndefined();
});

test("truncation keeps the EOS, a leading BOS, and as much of the wanted end as fits", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 3, max: 9 }), { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 14 }),
      fc.constantFrom("left" as const, "right" as const),
      (body, bos, eos, maxLength, side) => {
        const whole = [...(bos ? [BOS] : []), ...body, ...(eos ? [EOS] : [])];
        const cut = [...truncate(Int32Array.from(whole), maxLength, side, EOS, BOS)];
        expect(cut.length).toBe(Math.min(maxLength, whole.length));
        if (cut.length === whole.length) expect(cut).toEqual(whole);
        if (eos) expect(cut.at(-1)).toBe(EOS);
        if (side === "right") {
          const kept = cut.length - (eos ? 1 : 0);
          expect(cut.slice(0, kept)).toEqual(whole.slice(0, kept));
        } else {
          const kept = bos && maxLength > (eos ? 2 : 1) ? 1 : 0;
          expect(cut.slice(0, kept)).toEqual(whole.slice(0, kept));
          expect(cut.slice(kept)).toEqual(whole.slice(whole.length - (cut.length - kept)));
        }
      },
    ),
    { numRuns: 300 },
  );
});

test("too long: dropped by default, cut where asked for; counted each", () => {
  const records = [
    { where: "f:1", content: pair("", "ab", "cd") },
    { where: "f:2", content: pair("", "abcdef", "c") },
    { where: "f:3", content: pair("", "abc", "abcd") },
  ];
  const { kept, counts } = tokeniseAll(records, { ...options, maxLength: 5 });
  expect(kept.map(({ index }) => index)).toEqual([0]);
  expect(counts).toEqual({ records: 3, dropped: 2, truncated: [0, 0], identical: 0, tokens: 8 });
  const right = tokeniseAll(records, { ...options, maxLength: 5, overlong: "right" });
  expect(right.counts).toEqual({ records: 3, dropped: 0, truncated: [1, 1], identical: 1, tokens: 26 });
  expect(show(right.kept[1]!.item)[0]).toEqual([BOS, ...codes("abc"), EOS]);
  const left = tokeniseAll(records, { ...options, maxLength: 5, overlong: "left" });
  expect(show(left.kept[1]!.item)[0]).toEqual([BOS, ...codes("def"), EOS]);
  expect(left.kept[2]!.item).toMatchObject({ truncated: [false, true], identical: false });
  expect(() => tokeniseAll(records, { ...options, maxLength: 0 })).toThrow(InputError);
});

test("without a limit nothing is lost", () => {
  const { counts } = tokeniseAll([{ where: "f:1", content: pair("", "a".repeat(5000), "a") }], options);
  expect(counts).toMatchObject({ dropped: 0, truncated: [0, 0] });
});
