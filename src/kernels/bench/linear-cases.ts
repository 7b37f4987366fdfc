/** @file The linear layer in each variant and storage type, its gradients, and the embedding. */
import type { Gpu } from "../../gpu/gpu.ts";
import { dtypeBytes, uploadTensor } from "../../tensor/tensor.ts";
import { embedding } from "../embedding.ts";
import { canRun, linear, linearVariants } from "../linear.ts";
import {
  inputGradientVariants,
  linearInputGradient,
  linearWeightGradient,
  type WeightGradientVariant,
  weightGradientVariants,
} from "../linear-gradient.ts";
import type { BenchCase, BenchSize } from "./cases.ts";
import { filled } from "./inputs.ts";

const storage = ["f32", "f16", "bf16"] as const;

export function linearCases(gpu: Gpu, { tokens: T, width: H }: BenchSize): BenchCase[] {
  const shape = `[${T}, ${H}] x [${H}, ${H}]`;
  const flops = 2 * T * H * H;
  const bytes = (weight: number) => 8 * T * H + weight * H * H;
  const forward = linearVariants
    .filter((variant) => canRun(gpu, variant))
    .flatMap((variant) =>
      storage.map(
        (dtype): BenchCase => ({
          name: `linear_${variant} ${dtype}`,
          shape,
          flops,
          bytes: bytes(dtypeBytes[dtype]),
          prepare: (gpu) => {
            const x = filled(gpu, T, H);
            const weight = filled(gpu, H, H, dtype);
            return () => linear(gpu, x, weight, { variant });
          },
        }),
      ),
    );
  return [
    ...forward,
    ...gradientCases(gpu, { tokens: T, width: H }),
    ...storage.map((dtype) => embeddingCase(dtype, { tokens: T, width: H })),
  ];
}

function gradientCases(gpu: Gpu, { tokens: T, width: H }: BenchSize): BenchCase[] {
  const shared = { shape: `[${T}, ${H}] x [${H}, ${H}]`, flops: 2 * T * H * H, bytes: 8 * T * H + 4 * H * H };
  const runs = (variant: WeightGradientVariant) => variant === "tile" || canRun(gpu, "broadcast");
  const suffix = (variant: WeightGradientVariant) => (variant === "tile" ? "" : `_${variant}`);
  return [
    ...inputGradientVariants.filter(runs).map(
      (variant): BenchCase => ({
        name: `linear_input_gradient${suffix(variant)} f32`,
        ...shared,
        prepare: (gpu) => {
          const dy = filled(gpu, T, H);
          const weight = filled(gpu, H, H);
          return () => linearInputGradient(gpu, dy, weight, undefined, { variant });
        },
      }),
    ),
    ...weightGradientVariants.filter(runs).map(
      (variant): BenchCase => ({
        name: `linear_weight_gradient${suffix(variant)}`,
        ...shared,
        prepare: (gpu) => {
          const dy = filled(gpu, T, H);
          const x = filled(gpu, T, H);
          const into = filled(gpu, H, H);
          return () => linearWeightGradient(gpu, dy, x, into, false, variant);
        },
      }),
    ),
  ];
}

function embeddingCase(dtype: (typeof storage)[number], { tokens: T, width: H }: BenchSize): BenchCase {
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
