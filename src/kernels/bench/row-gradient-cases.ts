/** @file The backward of norms, activations, biases and look-ups. */
import { biasGradient } from "../bias-gradient.ts";
import { embeddingGradient } from "../embedding-gradient.ts";
import { geluGradient } from "../gelu-gradient.ts";
import {
  layerNormInputGradient,
  layerNormWeightGradient,
  rmsNormInputGradient,
  rmsNormWeightGradient,
} from "../norm-gradient.ts";
import { uploadRowGroups } from "../row-groups.ts";
import { softmax, softmaxGradient } from "../softmax.ts";
import { swigluGradient } from "../swiglu-gradient.ts";
import type { BenchCase } from "./cases.ts";
import { filled } from "./inputs.ts";
import type { BenchSize } from "./models.ts";

export function rowGradientCases(size: BenchSize): BenchCase[] {
  return [...normCases(size), ...activationCases(size), embeddingCase(size)];
}

function normCases({ tokens: T, width: H }: BenchSize): BenchCase[] {
  const shape = `[${T}, ${H}]`;
  const input = [
    { name: "norm_input_gradient rms", flops: 10 * T * H, run: rmsNormInputGradient },
    { name: "norm_input_gradient layer", flops: 13 * T * H, run: layerNormInputGradient },
  ].map(
    ({ name, flops, run }): BenchCase => ({
      name,
      shape,
      flops,
      bytes: 12 * T * H,
      prepare: (gpu) => {
        const dy = filled(gpu, T, H);
        const x = filled(gpu, T, H);
        const weight = filled(gpu, 1, H);
        return () => run(gpu, dy, x, weight, 1e-5);
      },
    }),
  );
  return [
    ...input,
    {
      name: "norm_weight_gradient rms",
      shape,
      flops: 5 * T * H,
      bytes: 8 * T * H,
      prepare: (gpu) => {
        const dy = filled(gpu, T, H);
        const x = filled(gpu, T, H);
        const into = filled(gpu, 1, H);
        return () => rmsNormWeightGradient(gpu, dy, x, 1e-5, into);
      },
    },
    {
      name: "norm_weight_gradient layer",
      shape,
      flops: 9 * T * H,
      bytes: 8 * T * H,
      prepare: (gpu) => {
        const dy = filled(gpu, T, H);
        const x = filled(gpu, T, H);
        const weight = filled(gpu, 1, H);
        const bias = filled(gpu, 1, H);
        return () => layerNormWeightGradient(gpu, dy, x, 1e-5, weight, bias);
      },
    },
    {
      name: "softmax_gradient",
      shape,
      flops: 4 * T * H,
      bytes: 12 * T * H,
      prepare: (gpu) => {
        const dy = filled(gpu, T, H);
        const y = softmax(gpu, dy);
        return () => softmaxGradient(gpu, dy, y);
      },
    },
    {
      name: "column_sums",
      shape,
      flops: T * H,
      bytes: 4 * T * H,
      prepare: (gpu) => {
        const dy = filled(gpu, T, H);
        const into = filled(gpu, 1, H);
        return () => biasGradient(gpu, dy, into);
      },
    },
  ];
}

function activationCases({ tokens: T, inner }: BenchSize): BenchCase[] {
  const geluCases = (["tanh", "erf"] as const).map(
    (form): BenchCase => ({
      name: `gelu_gradient ${form}`,
      shape: `[${T}, ${inner}]`,
      flops: (form === "tanh" ? 18 : 27) * T * inner,
      bytes: 12 * T * inner,
      prepare: (gpu) => {
        const dy = filled(gpu, T, inner);
        const x = filled(gpu, T, inner);
        return () => geluGradient(gpu, dy, x, form);
      },
    }),
  );
  const gated: BenchCase = {
    name: "swiglu_gradient",
    shape: `[${T}, 2 x ${inner}]`,
    flops: 13 * T * inner,
    bytes: 20 * T * inner,
    prepare: (gpu) => {
      const dy = filled(gpu, T, inner);
      const gateUp = filled(gpu, T, 2 * inner);
      return () => swigluGradient(gpu, dy, gateUp);
    },
  };
  return [gated, ...geluCases];
}

/** One row in eight has the same id, as the most frequent word may; the others are spread. */
function embeddingCase({ tokens: T, width: H }: BenchSize): BenchCase {
  const vocabulary = 4096;
  const ids = Int32Array.from({ length: T }, (_, i) => (i % 8 === 0 ? 7 : (i * 997) % vocabulary));
  return {
    name: "sum_rows",
    shape: `${T} into [${vocabulary}, ${H}]`,
    flops: T * H,
    bytes: 4 * H * (T + 2 * new Set(ids).size),
    prepare: (gpu) => {
      const dy = filled(gpu, T, H);
      const into = filled(gpu, vocabulary, H);
      const groups = uploadRowGroups(gpu, ids);
      return () => embeddingGradient(gpu, dy, groups, into);
    },
  };
}
