/** @file The pad id of a saved model: one that no sequence ends in. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { savedPadding } from "../../src/model/padding.ts";
import type { InputRecipe } from "../../src/model/recipe.ts";
import type { Tokenizer } from "../../src/model/tokenizer.ts";

const recipe = (eosTokenId?: number): InputRecipe => ({
  addEos: eosTokenId !== undefined,
  ...(eosTokenId === undefined ? {} : { eosTokenId }),
  readPosition: "last",
});
const tokenizer = (ids: Partial<Tokenizer>): Tokenizer => ({
  vocabSize: 10,
  specialIds: [],
  encode: () => new Int32Array(),
  decode: () => "",
  ...ids,
});

it.each([
  ["the tokenizer's pad", { padTokenId: 3, eosTokenId: 2, bosTokenId: 1 }, { padTokenId: 3, grow: false }],
  ["BOS where pad is EOS", { padTokenId: 2, eosTokenId: 2, bosTokenId: 1 }, { padTokenId: 1, grow: false }],
  ["BOS where there is no pad", { eosTokenId: 2, bosTokenId: 1 }, { padTokenId: 1, grow: false }],
  [
    "another special token where pad, BOS and EOS are one",
    { padTokenId: 2, eosTokenId: 2, bosTokenId: 2, specialIds: [2, 5] },
    { padTokenId: 5, grow: false },
  ],
  [
    "a new row where every special token is the EOS (GPT-2)",
    { padTokenId: 2, eosTokenId: 2, bosTokenId: 2, specialIds: [2] },
    { padTokenId: 10, grow: true },
  ],
  [
    "not the unknown token, which a text may end in",
    { eosTokenId: 2, unkTokenId: 0, specialIds: [0, 2] },
    { padTokenId: 10, grow: true },
  ],
  ["a new row where the pad lies outside", { padTokenId: 10, eosTokenId: 2 }, { padTokenId: 10, grow: true }],
] as const)("%s", (_, ids, expected) => {
  expect(savedPadding(10, recipe(2), tokenizer(ids))).toEqual(expected);
});

it("a new row without a tokenizer", () => {
  expect(savedPadding(10, recipe())).toEqual({ padTokenId: 10, grow: true });
});

it("is never an EOS and always inside the saved vocabulary", () => {
  const id = fc.option(fc.nat(12), { nil: undefined });
  fc.assert(
    fc.property(id, id, id, id, fc.uniqueArray(fc.nat(12)), (recipeEos, eos, bos, pad, specialIds) => {
      const { padTokenId, grow } = savedPadding(
        10,
        recipe(recipeEos),
        tokenizer({
          specialIds,
          ...(eos === undefined ? {} : { eosTokenId: eos }),
          ...(bos === undefined ? {} : { bosTokenId: bos }),
          ...(pad === undefined ? {} : { padTokenId: pad }),
        }),
      );
      expect(padTokenId).toBeLessThan(grow ? 11 : 10);
      if (!grow) expect([recipeEos, eos]).not.toContain(padTokenId);
    }),
  );
});
