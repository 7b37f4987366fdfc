/** @file Random hidden states, vocabulary heads and targets for the kernels of token log-probabilities. */
import fc from "fast-check";
import { normals } from "./numbers.ts";
import { rounded, type WeightDtype, weightDtypes } from "./weights.ts";

export interface VocabularyShape {
  readonly tokens: number;
  readonly vocabulary: number;
  readonly width: number;
  readonly dtype: WeightDtype;
  readonly seed: number;
}

export const vocabularyShapes = (
  tokens: number,
  vocabulary: number,
  width: number,
): fc.Arbitrary<VocabularyShape> =>
  fc.record({
    tokens: fc.integer({ min: 1, max: tokens }),
    vocabulary: fc.integer({ min: 1, max: vocabulary }),
    width: fc.integer({ min: 1, max: width }),
    dtype: fc.constantFrom(...weightDtypes),
    seed: fc.nat(),
  });

export function vocabularyInputs({ tokens, vocabulary, width, dtype, seed }: VocabularyShape) {
  return {
    hidden: normals(seed, tokens * width),
    weight: rounded(normals(seed + 1, vocabulary * width), dtype),
    targets: Int32Array.from(normals(seed + 2, tokens), (z) => Math.floor(1e6 * Math.abs(z)) % vocabulary),
    gradient: normals(seed + 3, tokens),
  };
}
