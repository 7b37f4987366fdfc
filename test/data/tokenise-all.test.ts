/** @file Pairs as ids: who stays, who is left out and why, and the counts; with a tokenizer of one id per character. */
import { expect, test } from "vitest";
import type { Content } from "../../src/data/content.ts";
import type { TokeniseOptions } from "../../src/data/tokenise.ts";
import { tokeniseAll } from "../../src/data/tokenise-all.ts";
import { InputError } from "../../src/errors.ts";

const BOS = 1;
const EOS = 2;
/** A BOS, then code units in lower case. */
const encoder = {
  bosTokenId: BOS,
  encode: (text: string, { addSpecialTokens }: { readonly addSpecialTokens: boolean }) => {
    const ids = Array.from(text.toLowerCase(), (c) => c.charCodeAt(0));
    return Int32Array.from(addSpecialTokens ? [BOS, ...ids] : ids);
  },
};
const options: TokeniseOptions = { encoder, recipe: { addEos: true, eosTokenId: EOS }, vocabSize: 200 };
const records = (...contents: readonly Content[]) =>
  contents.map((content, i) => ({ where: `f:${i + 1}`, content }));
const pair = (prompt: string, chosen: string, rejected: string): Content => ({
  kind: "text",
  prompt,
  replies: [chosen, rejected],
});
const codes = (text: string) => Array.from(text, (c) => c.charCodeAt(0));

test("too long: left out by default, cut where asked for; counted each", () => {
  const given = records(pair("", "ab", "cd"), pair("", "abcdef", "c"), pair("", "abc", "abcd"));
  const { kept, leftOut, counts } = tokeniseAll(given, { ...options, maxLength: 5 });
  expect(kept.map(({ index }) => index)).toEqual([0]);
  expect(leftOut).toEqual([
    { where: "f:2", why: "too-long", lengths: [8, 3] },
    { where: "f:3", why: "too-long", lengths: [5, 6] },
  ]);
  expect(counts).toEqual({ records: 3, dropped: 2, truncated: [0, 0], identical: 0, tokens: 8 });

  const right = tokeniseAll(given, { ...options, maxLength: 5, overlong: "right" });
  expect(right.counts).toEqual({ records: 3, dropped: 0, truncated: [1, 0], identical: 1, tokens: 16 });
  expect([...right.kept[1]!.item.sequences[0]!]).toEqual([BOS, ...codes("abc"), EOS]);
  expect(right.leftOut).toEqual([{ where: "f:3", why: "same-after-cut", lengths: [5, 6] }]);

  const left = tokeniseAll(given, { ...options, maxLength: 5, overlong: "left" });
  expect([...left.kept[1]!.item.sequences[0]!]).toEqual([BOS, ...codes("def"), EOS]);
  expect(left.kept[2]!.item).toMatchObject({ truncated: [false, true], identical: false });
  expect(() => tokeniseAll(given, { ...options, maxLength: 0 })).toThrow(InputError);
});

test("equal sides are left out: as text, as tokens only, and also where both are too long", () => {
  const given = records(
    pair("p", "ab", "ab"),
    pair("p", "ab", "aB"),
    pair("p", "abcdef", "abcdef"),
    pair("p", "abcdef", "abcdeF"),
    pair("p", "a", "b"),
    { kind: "ids", prompt: [], replies: [[7], [7]] },
  );
  for (const overlong of ["drop", "left", "right"] as const) {
    const { leftOut, counts } = tokeniseAll(given, { ...options, maxLength: 5, overlong });
    expect(leftOut.map(({ why }) => why)).toEqual([
      "same-text",
      "same-tokens",
      "same-text",
      "same-tokens",
      "same-text",
    ]);
    expect(counts).toMatchObject({ records: 6, dropped: 0, identical: 5, tokens: 8 });
  }
});

test("without a limit nothing is lost", () => {
  const { counts } = tokeniseAll(records(pair("", "a".repeat(5000), "a")), options);
  expect(counts).toMatchObject({ dropped: 0, truncated: [0, 0], tokens: 5005 });
});
