/** @file The scalar reward of a whole model: r(x, y) = w . h, h the hidden state at the end of the text, both learning. */
import { gatherRows, linear } from "../../model/operations.ts";
import { type InputRecipe, readIndex } from "../../model/recipe.ts";
import { readRows } from "../run-batches.ts";
import type { ModelReward } from "./model-reward.ts";

/** Reads each sequence where `score` reads it. */
export function scalarReward(recipe: InputRecipe, padTokenId: number | undefined): ModelReward {
  return {
    columns: [],
    forward({ gpu, head }, tape, { batch, order, hidden, rewardCapacity }) {
      if (head === undefined) throw new Error("The model has no reward head");
      const rows = readRows(batch, (ids) => readIndex(ids, recipe, padTokenId));
      const at = Int32Array.from(order, (n) => rows[n]!);
      const features = gatherRows({ gpu, tape }, hidden, at, rewardCapacity);
      tape?.release(hidden);
      const rewards = linear({ gpu, tape }, features, { weight: head, bias: undefined });
      tape?.release(features);
      return rewards;
    },
    [Symbol.dispose]() {},
  };
}
