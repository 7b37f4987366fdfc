/** @file The committed base model: what it is made of. models/base-random/README.md says why. */

import type { Initialisation, LlamaShape } from "./llama.ts";

/** Symbols of the tokenizer, the two specials included. */
export const VOCABULARY = 2048;

/** About a million parameters. */
export const BASE_SHAPE: LlamaShape = {
  vocabulary: VOCABULARY,
  width: 192,
  layers: 2,
  heads: 6,
  mlpWidth: 256,
  positions: 1024,
};

/** Chosen by measurement. */
export const BASE_INITIALISATION: Initialisation = { std: 0.02, scaleResiduals: true, seed: 0 };
