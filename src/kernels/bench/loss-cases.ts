/** @file The losses and the forms of rewards, whose work is small whatever the model. */
import type { Gpu } from "../../gpu/gpu.ts";
import { createTensor, type Tensor, uploadTensor } from "../../tensor/tensor.ts";
import { dpoPairs, dpoTableGradient } from "../dpo.ts";
import { implicitReward, implicitRewardGradient, implicitTerms } from "../implicit-reward.ts";
import { listLoss } from "../list-loss.ts";
import { metricColumns } from "../metric-columns.ts";
import { pairLoss } from "../pair-loss.ts";
import { cringePairs } from "../pair-loss-cringe.ts";
import { mismatchMean, rowLoss } from "../row-loss.ts";
import { weightedSums } from "../weighted-sums.ts";
import type { BenchCase } from "./cases.ts";
import { filled } from "./inputs.ts";

export const lossCases = (): BenchCase[] => [
  ...pairCases(1024),
  ...rowLossCases(1024, 4),
  ...dpoCases(1024, 8),
  ...rewardCases(1024),
];

export const metricsOf = (gpu: Gpu): Tensor => {
  const metrics = createTensor(gpu, 1, metricColumns.count, "bench metrics");
  gpu.recorder.clear(metrics.buffer, 0, metrics.buffer.size);
  return metrics;
};

function pairCases(pairs: number): BenchCase[] {
  return [
    {
      name: "pair_loss",
      shape: `${pairs} pairs`,
      flops: 20 * pairs,
      bytes: 4 * 6 * pairs,
      prepare: (gpu) => {
        const rewards = filled(gpu, 2 * pairs, 1);
        const margins = filled(gpu, pairs, 1);
        const labels = filled(gpu, pairs, 1);
        const targets = { margins, labels, centering: 0, metrics: metricsOf(gpu), row: 0 };
        return () => pairLoss(gpu, "logistic", rewards, targets, { beta: 1, smoothing: 0, tau: 1 });
      },
    },
    {
      name: "cringe_pairs",
      shape: `${pairs} pairs`,
      flops: 30 * pairs,
      bytes: 4 * 6 * pairs,
      prepare: (gpu) => {
        const scores = filled(gpu, 3 * pairs, 1);
        const targets = { metrics: metricsOf(gpu), row: 0 };
        const constants = { weight: 1, margin: 0, temperature: 1 };
        return () => cringePairs(gpu, scores, targets, constants);
      },
    },
  ];
}

function rowLossCases(pairs: number, width: number): BenchCase[] {
  const lists = pairs / width;
  return [
    {
      name: "row_loss",
      shape: `${pairs} rows`,
      flops: 15 * pairs,
      bytes: 4 * 3 * pairs,
      prepare: (gpu) => {
        const [rewards, labels, reference] = [
          filled(gpu, pairs, 1),
          filled(gpu, pairs, 1),
          filled(gpu, 1, 1),
        ];
        const targets = { labels, reference, metrics: metricsOf(gpu), row: 0 };
        return () => rowLoss(gpu, "kto", rewards, targets, { desirable: 1, undesirable: 1 });
      },
    },
    {
      name: "positive_mean",
      shape: `${pairs} rows`,
      flops: pairs,
      bytes: 4 * pairs,
      prepare: (gpu) => {
        const rewards = filled(gpu, pairs, 1);
        return () => mismatchMean(gpu, [rewards]);
      },
    },
    {
      name: "list_loss",
      shape: `${lists} lists of ${width}`,
      flops: 20 * pairs * width,
      bytes: 4 * 3 * pairs,
      prepare: (gpu) => {
        const [rewards, gains] = [filled(gpu, pairs, 1), filled(gpu, pairs, 1)];
        const at = Int32Array.from({ length: lists + 1 }, (_, i) => i * width);
        const offsets = uploadTensor(gpu, at, 1, "bench offsets");
        const targets = { gains, offsets, metrics: metricsOf(gpu), row: 0 };
        return () => listLoss(gpu, "plackett_luce", rewards, targets);
      },
    },
  ];
}

function dpoCases(pairs: number, candidates: number): BenchCase[] {
  const table = pairs * candidates;
  return [
    {
      name: "dpo_pairs",
      shape: `${pairs} pairs`,
      flops: 40 * pairs,
      bytes: 4 * 8 * pairs,
      prepare: (gpu) => {
        const logProbs = filled(gpu, pairs, 4);
        return () => dpoPairs(gpu, logProbs, 0.1);
      },
    },
    {
      name: "dpo_table",
      shape: `${pairs} prompts, ${candidates} responses`,
      flops: 80 * table * candidates,
      bytes: 4 * table * (3 + candidates),
      prepare: (gpu) => {
        const logits = filled(gpu, pairs, candidates);
        const logReference = filled(gpu, pairs, candidates);
        const wins = filled(gpu, table, candidates);
        const into = filled(gpu, pairs, candidates);
        return () => dpoTableGradient(gpu, { logits, logReference, wins, beta: 0.1, total: table }, into);
      },
    },
  ];
}

function rewardCases(replies: number): BenchCase[] {
  const shape = `${replies} replies`;
  return [
    {
      name: "implicit_reward",
      shape,
      flops: 2 * replies,
      bytes: 4 * 5 * replies,
      prepare: (gpu) => {
        const logps = filled(gpu, replies, 1);
        const terms = filled(gpu, replies, implicitTerms.count);
        return () => implicitReward(gpu, logps, terms);
      },
    },
    {
      name: "implicit_reward_gradient",
      shape,
      flops: 2 * replies,
      bytes: 4 * 6 * replies,
      prepare: (gpu) => {
        const logps = filled(gpu, replies, 1);
        const terms = filled(gpu, replies, implicitTerms.count);
        return () => implicitRewardGradient(gpu, logps, logps, terms);
      },
    },
    {
      name: "weighted_sums",
      shape,
      flops: 4 * replies,
      bytes: 4 * 3 * replies,
      prepare: (gpu) => {
        const x = filled(gpu, replies, 1);
        const weights = filled(gpu, replies, 2);
        const metrics = filled(gpu, 1, 2);
        return () => weightedSums(gpu, x, weights, { metrics, row: 0, column: 0 });
      },
    },
  ];
}
