/**
 * @file The negative log-likelihood of texts, per token: a language model's own loss. Its rewards are log π(text); the
 * gradient is the same for each. No preference is in it; it makes the bases and references that preferences begin with.
 */
import { weightedSums } from "../../kernels/implicit-reward.ts";
import { expectMetrics, metricColumns } from "../../kernels/metric-columns.ts";
import { uploadTensor } from "../../tensor/tensor.ts";
import type { TextLoss } from "./loss.ts";

export const nll: TextLoss = {
  name: "nll",
  kind: "texts",
  aliases: [],
  paper: "Bengio, Ducharme, Vincent & Jauvin 2003, JMLR 3, section 2",
  formula: "-r / tokens, r = log π(text), over all tokens of the step",
  reads: [],
  differences: false,
  record(gpu, rewards, { tokens, total, metrics, row, capacity = rewards.rows }) {
    expectMetrics("nll", { metrics, row });
    const own = tokens.reduce((sum, n) => sum + n, 0);
    const columns = metricColumns.gradNorm;
    // The loss, and zeros in the columns that have no meaning here.
    const weights = new Float32Array(rewards.rows * columns);
    for (let n = 0; n < rewards.rows; n++) weights[n * columns + metricColumns.loss] = -1 / Math.max(own, 1);
    const upload = (values: Float32Array, cols: number) =>
      uploadTensor(gpu, values, cols, "likelihood of texts", { capacity });
    weightedSums(gpu, rewards, upload(weights, columns), { metrics, row, column: 0 });
    return upload(new Float32Array(rewards.rows).fill(-1 / total), 1);
  },
};
