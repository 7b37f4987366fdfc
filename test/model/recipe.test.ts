/** @file The input recipe in config.json, and where the reward is read. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/errors.ts";
import { HUGGING_FACE_RECIPE, type InputRecipe, readIndex } from "../../src/model/recipe.ts";
import { parseRecipe, RECIPE_KEY, readRecipe, serialiseRecipe } from "../../src/model/stored-recipe.ts";

const full: InputRecipe = {
  addEos: true,
  eosTokenId: 2,
  readPosition: "last",
  bos: "always",
  chat: { templateSha256: "0".repeat(64), clock: "2026-11-24T00:00:00", endOfTurn: [7, 8], addEos: false },
  tokenizer: { bosTokenId: 1, eosTokenId: 2, before: [1], after: [] },
  truncation: { side: "left", maxLength: 512 },
};

test("a recipe survives config.json; a config without one is Hugging Face's", () => {
  const recipes: InputRecipe[] = [
    full,
    { addEos: false, readPosition: "rightmost-non-pad", bos: "auto" },
    {
      addEos: true,
      eosTokenId: 2,
      readPosition: "last",
      bos: "never",
      tokenizer: { before: [], after: [5] },
    },
  ];
  for (const recipe of recipes) {
    const config = JSON.parse(JSON.stringify({ model_type: "llama", [RECIPE_KEY]: serialiseRecipe(recipe) }));
    expect(parseRecipe(config)).toEqual(recipe);
  }
  expect(parseRecipe({ model_type: "llama" })).toEqual(HUGGING_FACE_RECIPE);
  expect(serialiseRecipe({ addEos: false, readPosition: "last" })).toEqual({
    version: 2,
    bos: "auto",
    add_eos: false,
    read_position: "last",
  });
});

test("version 1, of rmtrain 0.1.0, is still read", () => {
  const stored = { version: 1, add_eos: true, eos_token_id: 2, read_position: "last" };
  expect(parseRecipe({ [RECIPE_KEY]: stored })).toEqual({
    addEos: true,
    eosTokenId: 2,
    readPosition: "last",
  });
});

const good = { version: 2, bos: "auto", add_eos: true, eos_token_id: 2, read_position: "last" };
const chat = { template_sha256: "0".repeat(64), end_of_turn: [], add_eos: true };
test.each([
  [{ ...good, version: 3 }, "c.json: rmtrain.version: written by another version"],
  [{ ...good, version: 1 }, /c\.json: rmtrain: .*bos/],
  [{ ...good, eos_token_id: undefined }, "c.json: rmtrain.eos_token_id: missing although add_eos is true"],
  [{ ...good, add_eos: false, eos_token_id: undefined, chat }, "c.json: rmtrain.eos_token_id: missing"],
  [{ ...good, read_position: "first" }, "c.json: rmtrain.read_position:"],
  [{ ...good, bos: "twice" }, "c.json: rmtrain.bos:"],
  [{ ...good, chat: { ...chat, template_sha256: "abc" } }, "c.json: rmtrain.chat.template_sha256:"],
  [{ ...good, suffix: "x" }, /c\.json: rmtrain: .*suffix/],
  [null, "c.json: rmtrain: expected an object with a version"],
])("%j is refused", (stored, message) => {
  expect(() => parseRecipe({ [RECIPE_KEY]: stored }, "c.json")).toThrow(InputError);
  expect(() => parseRecipe({ [RECIPE_KEY]: stored }, "c.json")).toThrow(message);
});

test("told to go on, a recipe is followed as far as it is understood, and what isn't is told", () => {
  const read = (changes: object) =>
    readRecipe({ [RECIPE_KEY]: { ...serialiseRecipe(full), ...changes } }, "c");
  expect(read({})).toEqual({ recipe: full, problems: [] });
  expect(read({ version: 3 })).toEqual({
    recipe: full,
    problems: [expect.stringContaining("c: rmtrain.version")],
  });
  expect(read({ suffix: "x" })).toEqual({ recipe: full, problems: [expect.stringContaining("suffix")] });
  const { bos: _, ...others } = full;
  expect(read({ bos: "twice" }).recipe).toEqual({ ...others, bos: "auto" });
  expect(readRecipe({ [RECIPE_KEY]: 7 })).toMatchObject({
    recipe: { addEos: false },
    problems: [expect.any(String)],
  });
});

const last = { readPosition: "last" } as const;
const huggingFace = { readPosition: "rightmost-non-pad" } as const;

test("the reading position", () => {
  expect(readIndex([5, 0, 0], last, 0)).toBe(2);
  expect(readIndex([5, 0, 0], huggingFace, 0)).toBe(0);
  expect(readIndex([5, 0, 6, 0], huggingFace, 0)).toBe(2);
  expect(readIndex([0, 0], huggingFace, 0)).toBe(0);
  expect(readIndex([5, 0], huggingFace)).toBe(1);
  expect(readIndex([5, 0], huggingFace, null)).toBe(1);
  expect(() => readIndex([], last)).toThrow(RangeError);
});

test("Hugging Face's rule is the argmax of index times (id != pad)", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2), { minLength: 1, maxLength: 8 }), fc.nat(2), (ids, pad) => {
      const marks = ids.map((id, i) => (id === pad ? 0 : i));
      expect(readIndex(ids, huggingFace, pad)).toBe(marks.indexOf(Math.max(...marks)));
    }),
  );
});
