/** @file Pairs of made-up token ids, for benchmarks. */
import { Random } from "../../data/random.ts";
import { HUGGING_FACE_RECIPE } from "../../model/recipe.ts";
import { exampleSet, type Pair } from "../example-sets.ts";

/** @param length tokens of a sequence; a pair's two begin differently and so share no prompt */
export function syntheticPairs(count: number, length: number, vocabulary: number): readonly Pair[] {
  const random = new Random(0, 0);
  const reply = (first: number) =>
    Array.from({ length }, (_, p) => (p === 0 ? first % vocabulary : random.below(vocabulary)));
  const records = Array.from({ length: count }, (_, i) => ({
    where: `pair ${i}`,
    content: { kind: "ids", prompt: [], replies: [reply(2 * i), reply(2 * i + 1)] } as const,
    extra: {},
  }));
  return exampleSet("pairs", records, { recipe: HUGGING_FACE_RECIPE, vocabSize: vocabulary }).pairs;
}
