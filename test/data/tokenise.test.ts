/** @file Joining, end of sequence and truncation, with a tokenizer of one id per character. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { BosRule } from "../../src/data/bos.ts";
import type { Content } from "../../src/data/content.ts";
import { type TokeniseOptions, tokenise, truncate } from "../../src/data/tokenise.ts";
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
        const cut = [...truncate(Int32Array.from(whole), maxLength, side, eos ? 1 : 0, BOS)];
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

test("the whole sequences' lengths, and whether they were equal before they were cut", () => {
  const cut = { ...options, maxLength: 4, overlong: "right" } as const;
  expect(tokenise(pair("", "abcd", "abxyz"), "w", cut)).toMatchObject({
    truncated: [true, true],
    identical: true,
    whole: { lengths: [6, 7], identical: false },
  });
  expect(tokenise(pair("", "abcd", "abcd"), "w", cut).whole).toEqual({ lengths: [6, 6], identical: true });
  expect(tokenise({ kind: "text", prompt: "a", replies: ["b"] }, "w", cut)).toMatchObject({
    identical: false,
    whole: { lengths: [4], identical: false },
  });
});

test("the prompt alone is measured where asked for: how much of it each sequence begins with", () => {
  // "th" is one token.
  const merging = {
    ...encoder,
    encode: (text: string, flags: { readonly addSpecialTokens: boolean }) =>
      encoder.encode(text.replaceAll("th", "T"), flags),
  };
  const measuring = { ...options, encoder: merging, measurePrompts: true };
  const measured = (content: Content, more = {}) => tokenise(content, "w", { ...measuring, ...more }).prompt;
  expect(measured(pair("at", "he", " all"))).toMatchObject({ length: 3, kept: [2, 3] });
  expect(measured(pair("", "he", "a"))).toBeUndefined();
  expect(measured({ kind: "ids", prompt: [5, 6], replies: [[7], [8]] })).toMatchObject({
    length: 2,
    kept: [2, 2],
  });
  expect(tokenise(pair("at", "he", " all"), "w", options).prompt).toBeUndefined();
  // A post-processor's EOS after the prompt is not part of it.
  const closing = {
    ...encoder,
    encode: (text: string, flags: { readonly addSpecialTokens: boolean }) =>
      Int32Array.from([...encoder.encode(text, flags), EOS]),
  };
  expect(measured(pair("ab", "c", "d"), { encoder: closing })).toMatchObject({ length: 3, kept: [3, 3] });
});

test("what the limit leaves of prompt and reply", () => {
  const gone = (content: Content, maxLength: number, overlong: "left" | "right" | "drop") => {
    const { prompt } = tokenise(content, "w", { ...options, measurePrompts: true, maxLength, overlong });
    return [prompt?.replyGone, prompt?.promptGone];
  };
  // BOS, a, b, c, then the reply, then EOS.
  const given = pair("abc", "xy", "xyz");
  expect(gone(given, 9, "right")).toEqual([
    [false, false],
    [false, false],
  ]);
  expect(gone(given, 6, "right")).toEqual([
    [false, false],
    [false, false],
  ]);
  expect(gone(given, 5, "right")).toEqual([
    [true, true],
    [false, false],
  ]);
  expect(gone(pair("abc", "", "xyz"), 5, "right")).toEqual([
    [false, true],
    [false, false],
  ]);
  expect(gone(given, 6, "left")).toEqual([
    [false, false],
    [false, false],
  ]);
  expect(gone(given, 5, "left")).toEqual([
    [false, false],
    [false, true],
  ]);
  expect(gone(given, 4, "left")).toEqual([
    [false, false],
    [true, true],
  ]);
  expect(gone(given, 4, "drop")).toEqual([
    [false, false],
    [false, false],
  ]);
});

test("a rendered conversation spells its special tokens out: none are added", () => {
  const chat = { kind: "chat", prompt: [{ role: "user", content: "a" }], replies: [[]] } as const;
  const rendered: Content = { kind: "text", prompt: "^a", replies: ["b!\n", "c!\n"], chat };
  const end = codes("!\n");
  const recipe = { addEos: true, eosTokenId: EOS, chat: { addEos: false, endOfTurn: end } };
  expect(show(tokenise(rendered, "w", { ...options, recipe }))).toEqual([codes("^ab!\n"), codes("^ac!\n")]);
  const closing = { ...recipe, chat: { addEos: true, endOfTurn: end } };
  expect(show(tokenise(rendered, "w", { ...options, recipe: closing }))[0]).toEqual([
    ...codes("^ab!\n"),
    EOS,
  ]);
  expect(show(tokenise(pair("^a", "b!\n", "c!\n"), "w", { ...options, recipe }))[0]).toEqual([
    BOS,
    ...codes("^ab!\n"),
    EOS,
  ]);
  const cut = (overlong: "left" | "right") =>
    tokenise(rendered, "w", { ...options, recipe, maxLength: 3, overlong, measurePrompts: true });
  expect(show(cut("right"))[0]).toEqual([...codes("^"), ...end]);
  expect(cut("right").prompt?.replyGone).toEqual([true, true]);
  expect(show(cut("left"))[0]).toEqual(codes("b!\n"));
  expect(cut("left").prompt).toMatchObject({ length: 2, kept: [2, 2], promptGone: [true, true] });
});

test("--bos: exactly one at the beginning, or none, of texts and of rendered conversations", () => {
  const spelling = {
    ...encoder,
    encode: (text: string, how: { readonly addSpecialTokens: boolean }) =>
      encoder.encode(text, how).map((id) => (id === 94 ? BOS : id)),
  };
  const chat = { kind: "chat", prompt: [], replies: [[]] } as const;
  const begin = (text: string, bos: BosRule, rendered: boolean) => {
    const content: Content = { kind: "text", prompt: "", replies: [text], ...(rendered ? { chat } : {}) };
    const recipe = { addEos: false, bos };
    return show(tokenise(content, "w", { encoder: spelling, recipe, vocabSize: 200 }))[0];
  };
  const a = codes("a");
  for (const rendered of [false, true])
    for (const text of ["a", "^a", "^^a"]) {
      expect(begin(text, "always", rendered)).toEqual([BOS, ...a]);
      expect(begin(text, "never", rendered)).toEqual(a);
    }
  expect(begin("a", "auto", false)).toEqual([BOS, ...a]);
  expect(begin("^a", "auto", false)).toEqual([BOS, BOS, ...a]);
  expect(begin("^a", "auto", true)).toEqual([BOS, ...a]);
  expect(begin("a", "auto", true)).toEqual(a);
});
