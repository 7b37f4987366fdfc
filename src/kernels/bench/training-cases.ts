/** @file The loss and the optimiser. */

import type { GpuBuffer } from "../../gpu/buffers.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { ArenaRange } from "../../tensor/parameters.ts";
import { createTensor, type Tensor, uploadTensor } from "../../tensor/tensor.ts";
import { adamw } from "../adamw.ts";
import { dpoPairs, dpoTableGradient } from "../dpo.ts";
import { clipByGlobalNorm, partialSums, sumOfSquares } from "../gradient-norm.ts";
import { listLoss } from "../list-loss.ts";
import { metricColumns } from "../metric-columns.ts";
import { pairLoss } from "../pair-loss.ts";
import { cringePairs } from "../pair-loss-cringe.ts";
import { mismatchMean, rowLoss } from "../row-loss.ts";
import type { BenchCase, BenchSize } from "./cases.ts";
import { filled } from "./inputs.ts";

const adam = { lr: 1e-3, step: 1, weightDecay: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8 };

export function trainingCases({ width: H }: BenchSize): BenchCase[] {
  const shape = `${H * H} parameters`;
  const partials = partialSums((H * H) / 4);
  return [
    ...lossCases(1024, 4),
    ...dpoCases(1024, 8),
    {
      name: "cringe_pairs",
      shape: "1024 pairs",
      flops: 30 * 1024,
      bytes: 4 * 6 * 1024,
      prepare: (gpu) => {
        const scores = filled(gpu, 3 * 1024, 1);
        const targets = { metrics: metricsOf(gpu), row: 0 };
        const constants = { weight: 1, margin: 0, temperature: 1 };
        return () => cringePairs(gpu, scores, targets, constants);
      },
    },
    {
      name: "sum_squares",
      shape,
      flops: 2 * H * H,
      bytes: 4 * H * H,
      prepare: (gpu) => {
        const gradient = filled(gpu, H, H);
        const sums = gpu.allocate(4 * partials, "bench sums");
        return () => sumOfSquares(gpu, { buffer: gradient.buffer }, (H * H) / 4, { buffer: sums }, 0);
      },
    },
    {
      name: "clip",
      shape: `${partials} partial sums`,
      flops: partials,
      bytes: 4 * partials,
      prepare: (gpu) => {
        const sums = filled(gpu, 1, partials);
        const state = { step: 1, maxGradNorm: 1, metrics: metricsOf(gpu), row: 0 };
        const control = goodControl(gpu);
        return () => clipByGlobalNorm(gpu, { buffer: sums.buffer }, partials, control, state);
      },
    },
    {
      name: "adamw",
      shape,
      flops: 14 * H * H,
      // Gradient, and read and written: weight and two moments.
      bytes: 7 * 4 * H * H,
      prepare: (gpu) => {
        const range = parameters(gpu, H);
        const control = goodControl(gpu);
        return () => adamw(gpu, range, control, adam);
      },
    },
  ];
}

function lossCases(pairs: number, width: number): BenchCase[] {
  const lists = pairs / width;
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

/** H x H parameters in their four roles, with zeros as second moments: those are never negative. */
function parameters(gpu: Gpu, H: number): ArenaRange {
  const [master, gradient, m, v] = [
    filled(gpu, H, H),
    filled(gpu, H, H),
    filled(gpu, H, H),
    filled(gpu, H, H),
  ];
  gpu.recorder.clear(v.buffer, 0, v.buffer.size);
  const roles = { master, gradient, m, v };
  return {
    bytes: 4 * H * H,
    decay: true,
    group: "base",
    binding: (role) => ({ buffer: roles[role].buffer }),
  };
}

const metricsOf = (gpu: Gpu): Tensor => {
  const metrics = createTensor(gpu, 1, metricColumns.count, "bench metrics");
  gpu.recorder.clear(metrics.buffer, 0, metrics.buffer.size);
  return metrics;
};

/** No bad step so far, factor 1. */
function goodControl(gpu: Gpu): GpuBuffer {
  const control = gpu.allocate(16, "bench control");
  gpu.write(control, 0, Uint32Array.of(0, 0x3f800000, 0, 0));
  return control;
}
