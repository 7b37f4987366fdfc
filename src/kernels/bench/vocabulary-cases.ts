/** @file The vocabulary head of a causal LM: log-probabilities of tokens and their backward. */

import type { Gpu } from "../../gpu/gpu.ts";
import { dtypeBytes, uploadTensor } from "../../tensor/tensor.ts";
import { cringeBackward, cringePenalties } from "../cringe.ts";
import { segmentSums, segmentSumsGradient } from "../segments.ts";
import { tokenLogps, tokenLogpsBackward } from "../token-logps.ts";
import { scaleRows, tokenSlopes } from "../token-slopes.ts";
import type { BenchCase } from "./cases.ts";
import { filled } from "./inputs.ts";
import type { BenchSize, WeightDtype } from "./models.ts";

export function vocabularyCases(size: BenchSize): BenchCase[] {
  const { tokens: E, vocabularies, dtypes } = size;
  return [
    ...vocabularies.flatMap((V) => dtypes.map((dtype) => forwardCase("vocabulary_sums", size, V, dtype))),
    // So few words that the sums of the lanes are most of it.
    forwardCase("vocabulary_logps", { tokens: E, width: 16 }, 64, "f32"),
    ...vocabularies.map((V) => gradientCase(size, V)),
    ...vocabularies.map((V) => slopesCase(size, V)),
    scaleCase(size),
    ...vocabularies.flatMap((V) => cringeCases(size, V)),
    sampleCase(size),
    ...segmentCases(E),
  ];
}

const targetsOf = (E: number, V: number) => Int32Array.from({ length: E }, (_, i) => (i * 997) % V);

/** All of `tokenLogps`. */
function forwardCase(
  kernel: string,
  { tokens: E, width: H }: Pick<BenchSize, "tokens" | "width">,
  V: number,
  dtype: WeightDtype,
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

function gradientCase({ tokens: E, width: H }: BenchSize, V: number): BenchCase {
  return {
    name: "vocabulary_gradient f32",
    shape: `[${E}, ${H}] x [${V}, ${H}]`,
    // The logits again, and the products for the gradients of hidden states and of the weight.
    flops: 6 * E * H * V + 6 * E * V,
    bytes: 4 * E * (2 * H + 3) + 4 * 3 * V * H,
    prepare: (gpu) => {
      const hidden = filled(gpu, E, H);
      const weight = filled(gpu, V, H);
      const into = filled(gpu, V, H);
      const targets = uploadTensor(gpu, targetsOf(E, V), 1, "bench targets");
      const { lse } = tokenLogps(gpu, hidden, weight, targets);
      const gradient = filled(gpu, E, 1);
      const saved = { hidden, weight, targets, lse, gradient };
      return () => tokenLogpsBackward(gpu, saved, { hidden: "new", weight: into });
    },
  };
}

/** Forward and backward in one, for a vocabulary that does not learn. */
function slopesCase({ tokens: E, width: H }: BenchSize, V: number): BenchCase {
  return {
    name: "vocabulary_slopes f32",
    shape: `[${E}, ${H}] x [${V}, ${H}]`,
    flops: 4 * E * H * V + 12 * E * V,
    bytes: 4 * E * (2 * H + 3) + 4 * 2 * V * H,
    prepare: (gpu) => {
      const hidden = filled(gpu, E, H);
      const weight = filled(gpu, V, H);
      const targets = uploadTensor(gpu, targetsOf(E, V), 1, "bench targets");
      return () => tokenSlopes(gpu, hidden, weight, targets);
    },
  };
}

function scaleCase({ tokens: E, width: H }: BenchSize): BenchCase {
  return {
    name: "scale_rows",
    shape: `[${E}, ${H}]`,
    flops: E * H,
    bytes: 8 * E * H,
    prepare: (gpu) => {
      const y = filled(gpu, E, H);
      const factors = filled(gpu, E, 1);
      return () => scaleRows(gpu, y, factors);
    },
  };
}

function cringeCases({ tokens: E, width: H }: BenchSize, vocabulary: number): BenchCase[] {
  const shape = `[${E}, ${H}] x [${vocabulary}, ${H}], 5 of them`;
  const product = 2 * E * H * vocabulary;
  const prepare = (gpu: Gpu) => {
    const hidden = filled(gpu, E, H);
    const weight = filled(gpu, vocabulary, H);
    const targets = uploadTensor(gpu, targetsOf(E, vocabulary), 1, "bench targets");
    const keys = uploadTensor(gpu, targetsOf(4 * E, 2 ** 20), 4, "bench keys");
    const options = { k: 5, seed: 1, step: 1, keys };
    return { hidden, weight, targets, options };
  };
  return [
    {
      name: "top_words",
      shape,
      flops: product,
      bytes: 4 * (E * H + vocabulary * H),
      prepare: (gpu) => {
        const { hidden, weight, targets, options } = prepare(gpu);
        return () => cringePenalties(gpu, hidden, weight, targets, options);
      },
    },
    {
      name: "cringe_gradient",
      shape,
      flops: 8 * E * H,
      bytes: 4 * (2 * E * H + 6 * E * H),
      prepare: (gpu) => {
        const { hidden, weight, targets, options } = prepare(gpu);
        const { drawn } = cringePenalties(gpu, hidden, weight, targets, options);
        const into = filled(gpu, vocabulary, H);
        const gradient = filled(gpu, E, 1);
        const saved = { hidden, weight, targets, drawn, gradient };
        return () => cringeBackward(gpu, saved, { hidden: "new", weight: into });
      },
    },
  ];
}

/** So few words that drawing them is most of it. */
function sampleCase({ tokens: E }: BenchSize): BenchCase {
  const [H, V] = [16, 64];
  return {
    name: "cringe_sample",
    shape: `[${E}, ${H}] x [${V}, ${H}], 5 of them`,
    flops: 2 * E * H * V,
    bytes: 4 * (E * H + V * H),
    prepare: (gpu) => {
      const hidden = filled(gpu, E, H);
      const weight = filled(gpu, V, H);
      const targets = uploadTensor(gpu, targetsOf(E, V), 1, "bench targets");
      const keys = uploadTensor(gpu, targetsOf(4 * E, 2 ** 20), 4, "bench keys");
      return () => cringePenalties(gpu, hidden, weight, targets, { k: 5, seed: 1, step: 1, keys });
    },
  };
}

/** Replies of up to 32 tokens. */
function segmentCases(E: number): BenchCase[] {
  const replies = Math.ceil(E / 32);
  const shape = `${E} tokens in ${replies} replies`;
  const offsets = Int32Array.from({ length: replies + 1 }, (_, n) => Math.min(E, 32 * n));
  return [
    {
      name: "segment_sums",
      shape,
      flops: E,
      bytes: 4 * (E + replies),
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
      bytes: 4 * (E + replies),
      prepare: (gpu) => {
        const dy = filled(gpu, replies, 1);
        const at = uploadTensor(gpu, offsets, 1, "bench offsets");
        return () => segmentSumsGradient(gpu, dy, at, { rows: E, capacity: E });
      },
    },
  ];
}
