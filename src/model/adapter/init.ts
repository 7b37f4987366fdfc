/** @file Where the values of an adapter begin. */
import { Random, STREAMS } from "../../data/random.ts";
import type { LoraPartSpec } from "./parts.ts";

/**
 * A part's A [r, in]: uniform within 1 / sqrt(in), which is Kaiming's bound sqrt(6 / ((1 + a^2) in)) for a = sqrt(5)
 * (He et al. 2015, arXiv 1502.01852; PEFT's choice). B begins at zero, so that the model begins as its base. A module's
 * numbers depend on the seed and the module, not on which others are targets.
 */
export function initialA({ module, r }: LoraPartSpec, seed: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed, STREAMS.loraInit, module.index);
  const bound = 1 / Math.sqrt(module.in);
  return Float32Array.from({ length: r * module.in }, () => (2 * random.uniform() - 1) * bound);
}
