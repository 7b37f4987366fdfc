/**
 * @file The arithmetic that a model's passes cannot do without, for shares of the device's ceiling: the products of the
 * linears and of attention, a multiply-add as two. What is computed a second time to save memory does not count.
 */
import type { PackedBatch } from "../../kernels/packed-batch.ts";
import type { ModelConfig } from "../../model/config.ts";

/** Floating-point operations of a forward pass over a batch, the heads' left out. */
export function forwardWork(config: ModelConfig, batch: PackedBatch): number {
  const { hiddenSize, layers, heads, kvHeads, headDim, intermediateSize, activation } = config;
  const mlp = (activation === "swiglu" ? 3 : 2) * hiddenSize * intermediateSize;
  const projections = hiddenSize * headDim * (2 * heads + 2 * kvHeads);
  // Scores and mixtures: every row with itself and all before it on its path.
  const pairs = batch.positions.reduce((sum, position) => sum + position + 1, 0);
  return layers * (2 * batch.rows * (projections + mlp) + 4 * pairs * heads * headDim);
}

/** Forwards and backwards, where every weight learns: each product has two gradients, of the same size. */
export const trainingWork = (config: ModelConfig, batch: PackedBatch) => 3 * forwardWork(config, batch);
