/** @file The vocabulary head of a causal LM: log-probabilities of tokens, their backward, and implicit rewards. */

import type { Gpu } from "../../gpu/gpu.ts";
import { type Dtype, dtypeBytes, uploadTensor } from "../../tensor/tensor.ts";
import { cringeBackward, cringePenalties } from "../cringe.ts";
import { implicitReward, implicitRewardGradient, implicitTerms } from "../implicit-reward.ts";
import { segmentSums, segmentSumsGradient } from "../segments.ts";
import { tokenLogps, tokenLogpsBackward } from "../token-logps.ts";
import { weightedSums } from "../weighted-sums.ts";
import type { BenchCase, BenchSize } from "./cases.ts";
import { filled } from "./inputs.ts";

const vocabulary = 4096;

export function vocabularyCases(size: BenchSize): BenchCase[] {
  const { tokens: E, width: H } = size;
  const shape = `[${E}, ${H}] x [${vocabulary}, ${H}]`;
  const product = 2 * E * H * vocabulary;
  return [
    ...(["f32", "f16", "bf16"] as const).map((dtype) =>
      forwardCase("vocabulary_sums", size, vocabulary, dtype),
    ),
    // So few words that the sums of the lanes are most of it.
    forwardCase("vocabulary_logps", { tokens: E, width: 16 }, 64, "f32"),
    {
      name: "vocabulary_gradient f32",
      shape,
      flops: 3 * product + 6 * E * vocabulary,
      bytes: 4 * E * (2 * H + 3) + 4 * 3 * vocabulary * H,
      prepare: (gpu) => {
        const hidden = filled(gpu, E, H);
        const weight = filled(gpu, vocabulary, H);
        const into = filled(gpu, vocabulary, H);
        const targets = uploadTensor(gpu, targetsOf(E, vocabulary), 1, "bench targets");
        const { lse } = tokenLogps(gpu, hidden, weight, targets);
        const gradient = filled(gpu, E, 1);
        const saved = { hidden, weight, targets, lse, gradient };
        return () => tokenLogpsBackward(gpu, saved, { hidden: "new", weight: into });
      },
    },
    ...cringeCases(size),
    ...segmentCases(E),
    ...rewardCases(1024),
  ];
}

const targetsOf = (E: number, V: number) => Int32Array.from({ length: E }, (_, i) => (i * 997) % V);

/** All of `tokenLogps`. */
function forwardCase(
  kernel: string,
  { tokens: E, width: H }: BenchSize,
  V: number,
  dtype: Exclude<Dtype, "i32">,
): BenchCase {
  return {
    name: `${kernel} ${dtype}`,
    shape: `[${E}, ${H}] x [${V}, ${H}]`,
    flops: 2 * E * H * V + 6 * E * V,
    bytes: 4 * E * (H + 3) + dtypeBytes[dtype] * V * H,
    prepare: (gpu) => {
      const hidden = filled(gpu, E, H);
      const weight = filled(gpu, V, H, dtype);
      const targets = uploadTensor(gpu, targetsOf(E, V), 1, "bench targets");
      return () => tokenLogps(gpu, hidden, weight, targets);
    },
  };
}

function cringeCases({ tokens: E, width: H }: BenchSize): BenchCase[] {
  const shape = `[${E}, ${H}] x [${vocabulary}, ${H}], 5 of them`;
  const product = 2 * E * H * vocabulary;
  const prepare = (gpu: Gpu) => {
    const hidden = filled(gpu, E, H);
    const weight = filled(gpu, vocabulary, H);
    const targets = uploadTensor(gpu, targetsOf(E, vocabulary), 1, "bench targets");
    const keys = uploadTensor(gpu, targetsOf(4 * E, 2 ** 20), 4, "bench keys");
    const of = tokenLogps(gpu, hidden, weight, targets);
    const options = { k: 5, seed: 1, step: 1, keys };
    return { hidden, weight, targets, of, options };
  };
  return [
    {
      name: "top_words",
      shape,
      flops: product,
      bytes: 4 * (E * H + vocabulary * H),
      prepare: (gpu) => {
        const { hidden, weight, targets, of, options } = prepare(gpu);
        return () => cringePenalties(gpu, hidden, weight, targets, of, options);
      },
    },
    {
      name: "cringe_sample",
      shape: `[${E}, 16] x [64, 16], 5 of them`,
      flops: 2 * E * 16 * 64,
      bytes: 4 * (E * 16 + 64 * 16),
      prepare: (gpu) => {
        const hidden = filled(gpu, E, 16);
        const weight = filled(gpu, 64, 16);
        const targets = uploadTensor(gpu, targetsOf(E, 64), 1, "bench targets");
        const keys = uploadTensor(gpu, targetsOf(4 * E, 2 ** 20), 4, "bench keys");
        const of = tokenLogps(gpu, hidden, weight, targets);
        return () => cringePenalties(gpu, hidden, weight, targets, of, { k: 5, seed: 1, step: 1, keys });
      },
    },
    {
      name: "cringe_gradient",
      shape,
      flops: 2 * product,
      bytes: 4 * (2 * E * H + 3 * vocabulary * H),
      prepare: (gpu) => {
        const { hidden, weight, targets, of, options } = prepare(gpu);
        const { drawn } = cringePenalties(gpu, hidden, weight, targets, of, options);
        const into = filled(gpu, vocabulary, H);
        const gradient = filled(gpu, E, 1);
        const saved = { hidden, weight, targets, drawn, gradient };
        return () => cringeBackward(gpu, saved, { hidden: "new", weight: into });
      },
    },
  ];
}

/** Replies of 32 tokens. */
function segmentCases(E: number): BenchCase[] {
  const shape = `${E} tokens in ${E / 32} replies`;
  const offsets = Int32Array.from({ length: E / 32 + 1 }, (_, n) => 32 * n);
  return [
    {
      name: "segment_sums",
      shape,
      flops: E,
      bytes: 4 * (E + E / 32),
      prepare: (gpu) => {
        const x = filled(gpu, E, 1);
        const at = uploadTensor(gpu, offsets, 1, "bench offsets");
        return () => segmentSums(gpu, x, at);
      },
    },
    {
      name: "segment_spread",
      shape,
      flops: 0,
      bytes: 4 * (E + E / 32),
      prepare: (gpu) => {
        const dy = filled(gpu, E / 32, 1);
        const at = uploadTensor(gpu, offsets, 1, "bench offsets");
        return () => segmentSumsGradient(gpu, dy, at, { rows: E, capacity: E });
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
