/** @file Attention and its backward, and what else is done to heads: the rotary embedding and the heads' norm. */
import type { Gpu } from "../../gpu/gpu.ts";
import { uploadTensor } from "../../tensor/tensor.ts";
import { type AttentionOptions, attention, attentionWithLse, uploadForest } from "../attention.ts";
import {
  attentionDelta,
  attentionKeyGradient,
  attentionQueryGradient,
  uploadForestGradient,
} from "../attention-gradient.ts";
import { headNorm, headNormBackward } from "../head-norm.ts";
import { rotary, rotaryTables } from "../rotary.ts";
import type { BenchCase, BenchSize } from "./cases.ts";
import { filled, oneSequence } from "./inputs.ts";

const headDim = 64;

export function attentionCases({ tokens: T, width: H }: BenchSize): BenchCase[] {
  const heads = H / headDim;
  const kvHeads = heads / 4;
  const cols = H + 2 * kvHeads * headDim;
  const shape = `1 x ${T} tokens, ${heads}:${kvHeads} heads of ${headDim}, causal`;
  const options = { heads, kvHeads, headDim, scale: headDim ** -0.5 };
  return [
    {
      name: "attention",
      shape,
      flops: 2 * T * (T + 1) * H,
      bytes: 4 * T * (cols + H),
      prepare: (gpu) => {
        const qkv = filled(gpu, T, cols);
        const forest = uploadForest(gpu, oneSequence(T), T);
        return () => attention(gpu, qkv, forest, options);
      },
    },
    ...gradientCases({ tokens: T, width: H }, options),
    {
      name: "rotary",
      shape: `[${T}, ${H}], heads of ${headDim}`,
      flops: 3 * T * H,
      bytes: 8 * T * H + 4 * T * headDim,
      prepare: (gpu) => {
        const x = filled(gpu, T, H);
        const { cos, sin } = rotaryTables({ theta: 10_000, headDim }, T);
        const tables = {
          cos: uploadTensor(gpu, cos, headDim / 2, "bench cos"),
          sin: uploadTensor(gpu, sin, headDim / 2, "bench sin"),
        };
        const positions = uploadTensor(gpu, oneSequence(T).positions, 1, "bench positions");
        return () => rotary(gpu, x, { heads, firstCol: 0, headDim, tables, positions });
      },
    },
    {
      name: "head_norm",
      shape: `[${T}, ${H}], heads of ${headDim}`,
      flops: 4 * T * H,
      bytes: 8 * T * H,
      prepare: (gpu) => {
        const x = filled(gpu, T, H);
        const weight = filled(gpu, 1, headDim);
        return () => headNorm(gpu, x, weight, 1e-5, { heads, headDim, firstCol: 0 });
      },
    },
    {
      name: "head_norm_gradient",
      shape: `[${T}, ${H}], heads of ${headDim}`,
      flops: 12 * T * H,
      bytes: 12 * T * H,
      prepare: (gpu) => {
        const x = filled(gpu, T, H);
        const dy = filled(gpu, T, H);
        const weight = filled(gpu, 1, headDim);
        const into = filled(gpu, 1, headDim);
        return () => headNormBackward(gpu, dy, x, weight, 1e-5, { heads, headDim, firstCol: 0 }, into);
      },
    },
  ];
}

function gradientCases({ tokens: T, width: H }: BenchSize, options: AttentionOptions): BenchCase[] {
  const { heads, kvHeads } = options;
  const shape = `1 x ${T} tokens, ${heads}:${kvHeads} heads of ${headDim}, causal`;
  const cols = H + 2 * kvHeads * headDim;
  const pairs = (T * (T + 1)) / 2;
  const prepare = (gpu: Gpu) => {
    const qkv = filled(gpu, T, cols);
    const dy = filled(gpu, T, H);
    const forest = uploadForest(gpu, oneSequence(T), T);
    const delta = attentionDelta(gpu, dy, dy, options);
    const dqkv = filled(gpu, T, cols);
    return { ...attentionWithLse(gpu, qkv, forest, options), qkv, dy, delta, dqkv, forest, maxPath: T };
  };
  return [
    {
      name: "attention_delta",
      shape: `[${T}, ${H}], heads of ${headDim}`,
      flops: 2 * T * H,
      bytes: 8 * T * H,
      prepare: (gpu) => {
        const { dy, y } = prepare(gpu);
        return () => attentionDelta(gpu, dy, y, options);
      },
    },
    {
      name: "attention_key_gradient",
      shape,
      // The score again, dy . v, and the products for dk and dv.
      flops: 8 * pairs * H,
      bytes: 4 * T * (cols + H + 2 * kvHeads * headDim),
      prepare: (gpu) => {
        const pass = prepare(gpu);
        const tables = uploadForestGradient(gpu, oneSequence(T), T);
        return () => attentionKeyGradient(gpu, pass, tables, options);
      },
    },
    {
      name: "attention_query_gradient",
      shape,
      // The score again, dy . v, and the product for dq.
      flops: 6 * pairs * H,
      bytes: 4 * T * (cols + 2 * H),
      prepare: (gpu) => {
        const pass = prepare(gpu);
        return () => attentionQueryGradient(gpu, pass, pass.forest, options);
      },
    },
  ];
}
