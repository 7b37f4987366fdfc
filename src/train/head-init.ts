/** @file Where a reward head's weights begin. */
import { Random, STREAMS } from "../data/random.ts";
import type { HeadInit } from "./options.ts";

/**
 * The head [H] to begin with.
 *
 * `normal` has mean 0 and standard deviation 1/(H + 1) (Stiennon et al. 2020, arXiv 2009.01325, appendix B), so that
 * first rewards are small; `zeros` makes the first loss exactly ln 2.
 * @param own the checkpoint's head, kept by `keep`
 */
export function initialHead(
  init: HeadInit,
  own: Float32Array<ArrayBuffer> | undefined,
  hiddenSize: number,
  seed: number,
): Float32Array<ArrayBuffer> {
  if (init === "keep" && own !== undefined) return own;
  if (init === "zeros") return new Float32Array(hiddenSize);
  const random = new Random(seed, STREAMS.headInit);
  return Float32Array.from({ length: hiddenSize }, () => random.normal() / (hiddenSize + 1));
}
