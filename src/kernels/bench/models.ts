/** @file The models whose layers the benchmark measures, as far as their kernels' shapes go. */
import type { Dtype } from "../../tensor/tensor.ts";

/** How a checkpoint holds weights. */
export type WeightDtype = Exclude<Dtype, "i32">;

export interface BenchModel {
  /** Of the residual stream. */
  readonly width: number;
  /** Of the feed-forward layer. */
  readonly inner: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Weights of linear layers: [outputs, inputs]. */
  readonly matrices: readonly (readonly [number, number])[];
  /** Words of vocabularies. */
  readonly vocabularies: readonly number[];
  readonly dtypes: readonly WeightDtype[];
}

/** A model, and how many tokens a batch has. */
export interface BenchSize extends BenchModel {
  readonly tokens: number;
}

const usual = (width: number, inner: number, heads: number, kvHeads: number): BenchModel => ({
  width,
  inner,
  heads,
  kvHeads,
  headDim: width === 1024 ? 128 : width / heads,
  matrices: [[width, width]],
  vocabularies: [32_000, 151_936],
  dtypes: ["f32", "f16", "bf16"],
});

/** Widths, heads and feed-forward layers as in a small story model, GPT-2, Qwen3 0.6B, Llama 3.2 1B and Llama 3 8B. */
export const usualModels: readonly BenchModel[] = [
  usual(288, 768, 6, 6),
  usual(768, 3072, 12, 12),
  usual(1024, 3072, 16, 8),
  usual(2048, 8192, 32, 8),
  usual(4096, 14_336, 32, 8),
];

/** One token, the few replies of a list, a batch on a CPU, a batch on a GPU. */
export const usualTokens = [1, 8, 256, 2048] as const;
