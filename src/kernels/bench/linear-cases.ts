/** @file The linear layer in each storage type, its gradients, and the embedding. */
import { dtypeBytes, uploadTensor } from "../../tensor/tensor.ts";
import { embedding } from "../embedding.ts";
import { linear } from "../linear.ts";
import { linearInputGradient, linearWeightGradient } from "../linear-gradient.ts";
import type { BenchCase } from "./cases.ts";
import { filled } from "./inputs.ts";
import type { BenchSize, WeightDtype } from "./models.ts";

export function linearCases(size: BenchSize): BenchCase[] {
  const { tokens: T, matrices, dtypes } = size;
  return [
    ...matrices.flatMap((matrix) => dtypes.map((dtype) => forwardCase(T, matrix, dtype))),
    ...matrices.flatMap((matrix) => dtypes.map((dtype) => inputGradientCase(T, matrix, dtype))),
    ...matrices.map((matrix) => weightGradientCase(T, matrix)),
    ...dtypes.map((dtype) => embeddingCase(size, dtype)),
  ];
}

type Matrix = readonly [outputs: number, inputs: number];

/** What the three products have in common; each reads two matrices and writes the third. */
const product = (T: number, [N, K]: Matrix, weightBytes: number) => ({
  shape: `[${T}, ${K}] x [${K}, ${N}]`,
  flops: 2 * T * N * K,
  bytes: 4 * T * (K + N) + weightBytes * N * K,
});

const forwardCase = (T: number, [N, K]: Matrix, dtype: WeightDtype): BenchCase => ({
  name: `linear ${dtype}`,
  ...product(T, [N, K], dtypeBytes[dtype]),
  prepare: (gpu) => {
    const x = filled(gpu, T, K);
    const weight = filled(gpu, N, K, dtype);
    return () => linear(gpu, x, weight);
  },
});

const inputGradientCase = (T: number, [N, K]: Matrix, dtype: WeightDtype): BenchCase => ({
  name: `linear_input_gradient ${dtype}`,
  ...product(T, [N, K], dtypeBytes[dtype]),
  prepare: (gpu) => {
    const dy = filled(gpu, T, N);
    const weight = filled(gpu, N, K, dtype);
    return () => linearInputGradient(gpu, dy, weight);
  },
});

const weightGradientCase = (T: number, [N, K]: Matrix): BenchCase => ({
  name: "linear_weight_gradient",
  ...product(T, [N, K], 4),
  prepare: (gpu) => {
    const dy = filled(gpu, T, N);
    const x = filled(gpu, T, K);
    const into = filled(gpu, N, K);
    return () => linearWeightGradient(gpu, dy, x, into);
  },
});

function embeddingCase({ tokens: T, width: H }: BenchSize, dtype: WeightDtype): BenchCase {
  const vocabulary = 4096;
  return {
    name: `embedding ${dtype}`,
    shape: `${T} of [${vocabulary}, ${H}]`,
    flops: 0,
    bytes: T * H * (dtypeBytes[dtype] + 4) + 4 * T,
    prepare: (gpu) => {
      const table = filled(gpu, vocabulary, H, dtype);
      const ids = Int32Array.from({ length: T }, (_, i) => (i * 997) % vocabulary);
      const idsTensor = uploadTensor(gpu, ids, 1, "bench ids");
      return () => embedding(gpu, table, idsTensor);
    },
  };
}
