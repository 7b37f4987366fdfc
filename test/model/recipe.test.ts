/** @file The input recipe in config.json, and where the reward is read. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { InputError } from "../../src/errors.ts";
import {
  HUGGING_FACE_RECIPE,
  type InputRecipe,
  parseRecipe,
  RECIPE_KEY,
  readIndex,
  serialiseRecipe,
} from "../../src/model/recipe.ts";

test("a recipe survives config.json; a config without one is Hugging Face's", () => {
  const recipes: InputRecipe[] = [
    { addEos: true, eosTokenId: 2, readPosition: "last" },
    { addEos: false, readPosition: "rightmost-non-pad" },
  ];
  for (const recipe of recipes) {
    const config = JSON.parse(JSON.stringify({ model_type: "llama", [RECIPE_KEY]: serialiseRecipe(recipe) }));
    expect(parseRecipe(config)).toEqual(recipe);
  }
  expect(parseRecipe({ model_type: "llama" })).toEqual(HUGGING_FACE_RECIPE);
  expect(serialiseRecipe(recipes[0]!)).toEqual({
    version: 1,
    add_eos: true,
    eos_token_id: 2,
    read_position: "last",
  });
});

const good = { version: 1, add_eos: true, eos_token_id: 2, read_position: "last" };
test.each([
  [{ ...good, version: 2 }, "c.json: rmtrain.version: written by another version"],
  [{ ...good, eos_token_id: undefined }, "c.json: rmtrain.eos_token_id: missing although add_eos is true"],
  [{ ...good, read_position: "first" }, "c.json: rmtrain.read_position:"],
  [{ ...good, suffix: "x" }, /c\.json: rmtrain: .*suffix/],
  [null, "c.json: rmtrain:"],
])("%j is refused", (stored, message) => {
  expect(() => parseRecipe({ [RECIPE_KEY]: stored }, "c.json")).toThrow(InputError);
  expect(() => parseRecipe({ [RECIPE_KEY]: stored }, "c.json")).toThrow(message);
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
