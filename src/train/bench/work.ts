/**
 * @file The arithmetic that a model's passes cannot do without, for shares of the device's ceiling: the products of the
 * linears and of attention, a multiply-add as two. What is computed a second time to save memory does not count.
 */
import type { PackedBatch } from "../../kernels/packed-batch.ts";
import type { ModelConfig } from "../../model/config.ts";

/**
 * Floating-point operations of a forward pass over a batch. A reward head's are left out.
 * @param vocabulary whether every row meets the vocabulary's head
 */
export function forwardWork(config: ModelConfig, batch: PackedBatch, vocabulary = false): number {
  const { hiddenSize, vocabSize, layers, heads, kvHeads, headDim, intermediateSize, activation } = config;
  const mlp = (activation === "swiglu" ? 3 : 2) * hiddenSize * intermediateSize;
  const projections = hiddenSize * headDim * (2 * heads + 2 * kvHeads);
  // Scores and mixtures: every row with itself and all before it on its path.
  const pairs = batch.positions.reduce((sum, position) => sum + position + 1, 0);
  const head = vocabulary ? 2 * batch.rows * hiddenSize * vocabSize : 0;
  return layers * (2 * batch.rows * (projections + mlp) + 4 * pairs * heads * headDim) + head;
}

/** Forwards and backwards, where every weight learns: each product has two gradients, of the same size. */
export const trainingWork = (...of: Parameters<typeof forwardWork>) => 3 * forwardWork(...of);
