/** @file How each operation with variants is run by itself, for comparing its variants and timing them. */
import type { Gpu } from "../../gpu/gpu.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { attention, attentionWithLse, uploadForest } from "../attention.ts";
import {
  attentionDelta,
  attentionKeyGradient,
  attentionQueryGradient,
  uploadForestGradient,
} from "../attention-gradient.ts";
import { layerNorm } from "../layer-norm.ts";
import { linear } from "../linear.ts";
import { linearInputGradient, linearWeightGradient } from "../linear-gradient.ts";
import { rmsNormInputGradient } from "../norm-gradient.ts";
import type { PackedBatch } from "../packed-batch.ts";
import { rmsNorm } from "../rms-norm.ts";
import { softmax, softmaxGradient } from "../softmax.ts";
import type { WeightShape } from "../variants.ts";
import { noise } from "./inputs.ts";

/**
 * Uploads inputs of `tokens` rows into the current scope.
 * @returns records the operation; its result, [rows, cols] f32
 */
export type TuningCase = (gpu: Gpu, weight: WeightShape, tokens: number) => () => Tensor;

/** By the operation's name; every operation of the registry is here (a test). */
export const tuningCases: Readonly<Record<string, TuningCase>> = {
  linear: (gpu, { rows, cols, dtype }, tokens) => {
    const x = noise(gpu, tokens, cols, 1);
    const weight = noise(gpu, rows, cols, 2, dtype);
    return () => linear(gpu, x, weight);
  },
  linear_input_gradient: (gpu, { rows, cols, dtype }, tokens) => {
    const dy = noise(gpu, tokens, rows, 1);
    const weight = noise(gpu, rows, cols, 2, dtype);
    return () => linearInputGradient(gpu, dy, weight);
  },
  linear_weight_gradient: (gpu, { rows, cols }, tokens) => {
    const dy = noise(gpu, tokens, rows, 1);
    const x = noise(gpu, tokens, cols, 2);
    const into = noise(gpu, rows, cols, 3);
    return () => {
      linearWeightGradient(gpu, dy, x, into);
      return into;
    };
  },
  attention: (gpu, { cols: headDim }, tokens) => {
    const { qkv, forest, options } = attentionInputs(gpu, headDim, tokens);
    return () => attention(gpu, qkv, forest, options);
  },
  attention_key_gradient: (gpu, { cols: headDim }, tokens) => {
    const { pass, batch, options } = attentionPass(gpu, headDim, tokens);
    const tables = uploadForestGradient(gpu, batch, tokens);
    return () => {
      attentionKeyGradient(gpu, pass, tables, options);
      return pass.dqkv;
    };
  },
  attention_query_gradient: (gpu, { cols: headDim }, tokens) => {
    const { pass, forest, options } = attentionPass(gpu, headDim, tokens);
    return () => {
      attentionQueryGradient(gpu, pass, forest, options);
      return pass.dqkv;
    };
  },
  rms_norm: (gpu, { cols }, tokens) => {
    const [x, weight] = [noise(gpu, tokens, cols, 1), noise(gpu, 1, cols, 2)];
    return () => rmsNorm(gpu, x, weight, eps);
  },
  layer_norm: (gpu, { cols }, tokens) => {
    const [x, weight, bias] = [noise(gpu, tokens, cols, 1), noise(gpu, 1, cols, 2), noise(gpu, 1, cols, 3)];
    return () => layerNorm(gpu, x, weight, bias, eps);
  },
  norm_input_gradient: (gpu, { cols }, tokens) => {
    const [dy, x, weight] = [
      noise(gpu, tokens, cols, 1),
      noise(gpu, tokens, cols, 2),
      noise(gpu, 1, cols, 3),
    ];
    return () => rmsNormInputGradient(gpu, dy, x, weight, eps);
  },
  softmax: (gpu, { cols }, tokens) => {
    const x = noise(gpu, tokens, cols || anyCols, 1);
    return () => softmax(gpu, x);
  },
  softmax_gradient: (gpu, { cols }, tokens) => {
    const [dy, y] = [noise(gpu, tokens, cols || anyCols, 1), noise(gpu, tokens, cols || anyCols, 2)];
    return () => softmaxGradient(gpu, dy, y);
  },
};

const eps = 1e-5;
/** Of operations without a weight. */
const anyCols = 1024;

/** Query heads that share a key/value head in pairs, so that both ways of indexing are taken. */
const heads = 4;
const kvHeads = 2;

function attentionInputs(gpu: Gpu, headDim: number, tokens: number) {
  const qkv = noise(gpu, tokens, (heads + 2 * kvHeads) * headDim, 1);
  const batch = oneSequence(tokens);
  const forest = uploadForest(gpu, batch, tokens);
  return { qkv, batch, forest, options: { heads, kvHeads, headDim, scale: headDim ** -0.5 } };
}

function attentionPass(gpu: Gpu, headDim: number, tokens: number) {
  const inputs = attentionInputs(gpu, headDim, tokens);
  const { qkv, forest, options } = inputs;
  const saved = attentionWithLse(gpu, qkv, forest, options);
  const dy = noise(gpu, tokens, heads * headDim, 2);
  const delta = attentionDelta(gpu, dy, saved.y, options);
  const dqkv = noise(gpu, tokens, qkv.cols, 3);
  return { ...inputs, pass: { ...saved, qkv, dy, delta, dqkv, maxPath: tokens } };
}

function oneSequence(rows: number): PackedBatch {
  const positions = Int32Array.from({ length: rows }, (_, i) => i);
  return {
    rows,
    ids: positions,
    positions,
    segments: Int32Array.of(0, 0, 0, rows),
    sequenceSegments: Int32Array.of(0),
    maxPath: rows,
    paddedTokens: rows,
  };
}
