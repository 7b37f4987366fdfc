/** @file The made-up model of these tables, and ids for it to read. */
import type { ModelShape } from "../../src/model/synthetic.ts";

/** Two million weights in the layers. */
export const shape: ModelShape = {
  hidden: 288,
  layers: 2,
  heads: 6,
  kvHeads: 6,
  intermediate: 768,
  vocabulary: 2048,
  dtype: "f32",
};

/** Tokens of its longest sequence. */
export const positions = 1024;

/** [length] ids of no meaning, others for every seed; none is a special token's. */
export const someIds = (length: number, seed: number): Int32Array =>
  Int32Array.from({ length }, (_, i) => 2 + ((i * 7919 + (seed + 1) * 104_729) % (shape.vocabulary - 2)));
