/** @file The negative log-likelihood of texts, per token, from their log-probabilities. */
import type { Gpu } from "../gpu/gpu.ts";
import { type Tensor, uploadTensor } from "../tensor/tensor.ts";
import { expectMetrics, type MetricsRow, metricColumns } from "./metric-columns.ts";
import { expectShape } from "./shapes.ts";
import { weightedSums } from "./weighted-sums.ts";

export interface TextLossTargets extends MetricsRow {
  /** [n] Tokens of each text. */
  readonly tokens: readonly number[];
  /** Tokens over which the loss is a mean, where the gradients of several calls add up to one step's. */
  readonly total: number;
  /** Rows to make room for. Default: n. */
  readonly capacity?: number;
}

/**
 * -sum(logps) / tokens of n texts, written to the metrics' row; the other columns become 0.
 * @param logps [n, 1] f32: log π of each text
 * @returns d loss / d logps, [n, 1] f32: -1 / total
 */
export function textLoss(gpu: Gpu, logps: Tensor, targets: TextLossTargets): Tensor {
  const { tokens, total, metrics, row, capacity = logps.rows } = targets;
  expectShape("textLoss", logps, tokens.length, 1);
  expectMetrics("textLoss", { metrics, row });
  const own = tokens.reduce((sum, n) => sum + n, 0);
  const columns = metricColumns.gradNorm;
  const weights = new Float32Array(tokens.length * columns);
  for (let n = 0; n < tokens.length; n++) weights[n * columns + metricColumns.loss] = -1 / Math.max(own, 1);
  const upload = (values: Float32Array, cols: number) =>
    uploadTensor(gpu, values, cols, "likelihood of texts", { capacity });
  weightedSums(gpu, logps, upload(weights, columns), { metrics, row, column: 0 });
  return upload(new Float32Array(tokens.length).fill(-1 / Math.max(total, 1)), 1);
}
