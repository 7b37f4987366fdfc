/** @file Attention and its backward, and what else is done to heads: the rotary embedding and the heads' norm. */
import type { Gpu } from "../../gpu/gpu.ts";
import { uploadTensor } from "../../tensor/tensor.ts";
import { attention, attentionWithLse, uploadForest } from "../attention.ts";
import {
  attentionDelta,
  attentionKeyGradient,
  attentionQueryGradient,
  uploadForestGradient,
} from "../attention-gradient.ts";
import { headNorm, headNormBackward } from "../head-norm.ts";
import { rotary, rotaryTables } from "../rotary.ts";
import type { BenchCase } from "./cases.ts";
import { filled, oneSequence } from "./inputs.ts";
import type { BenchSize } from "./models.ts";

export function attentionCases(size: BenchSize): BenchCase[] {
  return [forwardCase(size), keyGradientCase(size), queryGradientCase(size), ...headCases(size)];
}

/** What the cases have in common. */
function facts({ tokens: T, heads, kvHeads, headDim }: BenchSize) {
  const width = heads * headDim;
  return {
    /** Of all query heads. */
    width,
    /** Of queries, keys and values together. */
    cols: width + 2 * kvHeads * headDim,
    /** Queries times the keys that each sees. */
    pairs: (T * (T + 1)) / 2,
    shape: `1 x ${T} tokens, ${heads}:${kvHeads} heads of ${headDim}, causal`,
    options: { heads, kvHeads, headDim, scale: headDim ** -0.5 },
  };
}

function forwardCase(size: BenchSize): BenchCase {
  const { width, cols, pairs, shape, options } = facts(size);
  const T = size.tokens;
  return {
    name: "attention",
    shape,
    flops: 4 * pairs * width,
    bytes: 4 * T * (cols + width),
    prepare: (gpu) => {
      const qkv = filled(gpu, T, cols);
      const forest = uploadForest(gpu, oneSequence(T), T);
      return () => attention(gpu, qkv, forest, options);
    },
  };
}

/** A forward pass and the gradient of its output. */
function backwardInputs(gpu: Gpu, size: BenchSize) {
  const { width, cols, options } = facts(size);
  const T = size.tokens;
  const qkv = filled(gpu, T, cols);
  const dy = filled(gpu, T, width);
  const forest = uploadForest(gpu, oneSequence(T), T);
  const delta = attentionDelta(gpu, dy, dy, options);
  const dqkv = filled(gpu, T, cols);
  return { ...attentionWithLse(gpu, qkv, forest, options), qkv, dy, delta, dqkv, forest, maxPath: T };
}

function keyGradientCase(size: BenchSize): BenchCase {
  const { width, cols, pairs, shape, options } = facts(size);
  const T = size.tokens;
  return {
    name: "attention_key_gradient",
    shape,
    // The score again, dy . v, and the products for dk and dv.
    flops: 8 * pairs * width,
    bytes: 4 * T * (cols + width + 2 * options.kvHeads * options.headDim),
    prepare: (gpu) => {
      const pass = backwardInputs(gpu, size);
      const tables = uploadForestGradient(gpu, oneSequence(T), T);
      return () => attentionKeyGradient(gpu, pass, tables, options);
    },
  };
}

function queryGradientCase(size: BenchSize): BenchCase {
  const { width, cols, pairs, shape, options } = facts(size);
  return {
    name: "attention_query_gradient",
    shape,
    // The score again, dy . v, and the product for dq.
    flops: 6 * pairs * width,
    bytes: 4 * size.tokens * (cols + 2 * width),
    prepare: (gpu) => {
      const pass = backwardInputs(gpu, size);
      return () => attentionQueryGradient(gpu, pass, pass.forest, options);
    },
  };
}

function headCases(size: BenchSize): BenchCase[] {
  const { width, options } = facts(size);
  const { tokens: T, heads, headDim } = size;
  const shape = `[${T}, ${width}], heads of ${headDim}`;
  return [
    {
      name: "attention_delta",
      shape,
      flops: 2 * T * width,
      bytes: 8 * T * width,
      prepare: (gpu) => {
        const { dy, y } = backwardInputs(gpu, size);
        return () => attentionDelta(gpu, dy, y, options);
      },
    },
    {
      name: "rotary",
      shape,
      flops: 3 * T * width,
      bytes: 8 * T * width + 4 * T * headDim,
      prepare: (gpu) => {
        const x = filled(gpu, T, width);
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
      shape,
      flops: 4 * T * width,
      bytes: 8 * T * width,
      prepare: (gpu) => {
        const x = filled(gpu, T, width);
        const weight = filled(gpu, 1, headDim);
        return () => headNorm(gpu, x, weight, 1e-5, { heads, headDim, firstCol: 0 });
      },
    },
    {
      name: "head_norm_gradient",
      shape,
      flops: 12 * T * width,
      bytes: 12 * T * width,
      prepare: (gpu) => {
        const x = filled(gpu, T, width);
        const dy = filled(gpu, T, width);
        const weight = filled(gpu, 1, headDim);
        const into = filled(gpu, 1, headDim);
        return () => headNormBackward(gpu, dy, x, weight, 1e-5, { heads, headDim, firstCol: 0 }, into);
      },
    },
  ];
}
