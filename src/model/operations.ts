/**
 * @file The decoder's operations, each with its gradient on a tape where there is one. Without a tape they are the
 * kernels alone: nothing is kept, and what can be done in place is.
 */
import type { Gpu } from "../gpu/gpu.ts";
import {
  type AttentionOptions,
  attentionWithLse,
  type ForestTables,
  attention as forward,
} from "../kernels/attention.ts";
import { attentionBackward, type ForestGradientTables } from "../kernels/attention-gradient.ts";
import { biasGradient } from "../kernels/bias-gradient.ts";
import { copy } from "../kernels/copy.ts";
import * as rows from "../kernels/embedding.ts";
import { gatherRowsGradient } from "../kernels/embedding-gradient.ts";
import { gelu } from "../kernels/gelu.ts";
import { geluGradient } from "../kernels/gelu-gradient.ts";
import { type HeadRange, headNorm, headNormBackward } from "../kernels/head-norm.ts";
import { layerNorm } from "../kernels/layer-norm.ts";
import { linear as multiply } from "../kernels/linear.ts";
import { linearInputGradient, linearWeightGradient } from "../kernels/linear-gradient.ts";
import {
  layerNormInputGradient,
  layerNormWeightGradient,
  rmsNormInputGradient,
  rmsNormWeightGradient,
} from "../kernels/norm-gradient.ts";
import { rmsNorm } from "../kernels/rms-norm.ts";
import { type RotaryOptions, rotaryBackward, rotary as rotate } from "../kernels/rotary.ts";
import { uploadRowGroups } from "../kernels/row-groups.ts";
import { swiglu } from "../kernels/swiglu.ts";
import { swigluGradient } from "../kernels/swiglu-gradient.ts";
import type { Tape } from "../tensor/tape.ts";
import { type Tensor, uploadTensor } from "../tensor/tensor.ts";
import type { ModelConfig } from "./config.ts";
import { addLora, type LoraDropout, loraBackward, loraTensors } from "./lora-linear.ts";
import type { LinearWeights, NormWeights } from "./weights.ts";

/** Where operations are recorded. */
export interface Recording {
  readonly gpu: Gpu;
  /** Results belong to the tape then, else to the caller's scope. */
  readonly tape?: Tape | undefined;
  /** Whether low-rank updates are applied: without them it is the base model. Default true. */
  readonly adapter?: boolean | undefined;
  /** Whether inputs of low-rank updates are dropped, and which. Default: none. */
  readonly dropout?: LoraDropout | undefined;
}

/**
 * x W^T + b, and the low-rank updates.
 * @param x [T, in]
 * @returns [T, out]
 */
export function linear(on: Recording, x: Tensor, weights: LinearWeights): Tensor {
  const y = product(on, x, weights);
  if (on.tape?.tracks(x, ...learned(on, weights))) recordLinear(on, on.tape, x, weights, y);
  return y;
}

/**
 * residual + x W^T + b, and the low-rank updates. The residual is given up: the sum is made in its place, unless a
 * gradient is recorded.
 * @param residual [T, out] @param x [T, in]
 * @returns [T, out]
 */
export function addLinear(on: Recording, residual: Tensor, x: Tensor, weights: LinearWeights): Tensor {
  const { gpu, tape } = on;
  if (!tape?.tracks(residual, x, ...learned(on, weights))) return product(on, x, weights, residual);
  const y = product(on, x, weights, copy(gpu, residual));
  recordLinear(on, tape, x, weights, y, residual);
  tape.release(residual);
  return y;
}

function product(on: Recording, x: Tensor, weights: LinearWeights, into?: Tensor): Tensor {
  const { weight, bias } = weights;
  const y = multiply(on.gpu, x, weight, into === undefined ? { bias } : { bias, into });
  for (const part of updates(on, weights)) addLora(on.gpu, x, part, y, on.dropout);
  return y;
}

function recordLinear(
  on: Recording,
  tape: Tape,
  x: Tensor,
  weights: LinearWeights,
  y: Tensor,
  residual?: Tensor,
): void {
  const { gpu } = on;
  const { weight, bias } = weights;
  const parts = updates(on, weights);
  const intoWeight = tape.parameter(weight);
  const intoBias = bias === undefined ? undefined : tape.parameter(bias);
  const needsX = intoWeight !== undefined || tape.tracks(...loraTensors(parts));
  tape.record(y, needsX ? [x] : [], (dy) => {
    if (intoWeight !== undefined) linearWeightGradient(gpu, dy, x, intoWeight, true);
    if (intoBias !== undefined) biasGradient(gpu, dy, intoBias);
    tape.give(x, (dx) => linearInputGradient(gpu, dy, weight, dx));
    for (const part of parts) loraBackward(tape, x, part, dy, on.dropout);
    if (residual !== undefined) tape.pass(residual, dy);
  });
}

const updates = (on: Recording, { lora = [] }: LinearWeights) => (on.adapter === false ? [] : lora);

const learned = (on: Recording, weights: LinearWeights) => [
  weights.weight,
  weights.bias,
  ...loraTensors(updates(on, weights)),
];

/** RMSNorm, or LayerNorm where there is a bias. @param x [T, H] @returns [T, H] */
export function norm(
  { gpu, tape }: Recording,
  x: Tensor,
  { weight, bias }: NormWeights,
  eps: number,
): Tensor {
  const y = bias === undefined ? rmsNorm(gpu, x, weight, eps) : layerNorm(gpu, x, weight, bias, eps);
  if (!tape?.tracks(x, weight, bias)) return y;
  const intoWeight = tape.parameter(weight);
  const intoBias = bias === undefined ? undefined : tape.parameter(bias);
  tape.record(y, [x], (dy) => {
    if (intoWeight !== undefined && intoBias !== undefined)
      layerNormWeightGradient(gpu, dy, x, eps, intoWeight, intoBias);
    else if (intoWeight !== undefined) rmsNormWeightGradient(gpu, dy, x, eps, intoWeight);
    const inputGradient = bias === undefined ? rmsNormInputGradient : layerNormInputGradient;
    tape.give(x, (dx) => inputGradient(gpu, dy, x, weight, eps, dx));
  });
  return y;
}

/** A norm over each head of a part of q, k and v. */
export interface HeadNormPart {
  /** [1, headDim] */
  readonly weight: Tensor;
  readonly range: HeadRange;
}

/** RMSNorm over heads, in place. @param x [T, cols]; the parts' columns do not overlap */
export function headNorms(
  { gpu, tape }: Recording,
  x: Tensor,
  parts: readonly HeadNormPart[],
  eps: number,
): void {
  if (parts.length === 0) return;
  const records = tape?.tracks(x, ...parts.map((part) => part.weight));
  const before = records ? copy(gpu, x) : undefined;
  for (const { weight, range } of parts) headNorm(gpu, x, weight, eps, range);
  if (tape === undefined || before === undefined) return;
  tape.record(x, [before], (dy) => {
    for (const { weight, range } of parts)
      headNormBackward(gpu, dy, before, weight, eps, range, tape.parameter(weight));
    tape.pass(x, dy);
  });
  tape.release(before);
}

/** Rotates heads in place. @param x [T, cols] */
export function rotary({ gpu, tape }: Recording, x: Tensor, options: RotaryOptions): void {
  rotate(gpu, x, options);
  if (!tape?.tracks(x)) return;
  tape.record(x, [], (dy) => {
    rotaryBackward(gpu, dy, options);
    tape.pass(x, dy);
  });
}

/** A batch's tables on the device; those of the gradient where there is a tape. */
export interface Forest {
  readonly tables: ForestTables;
  readonly gradient: ForestGradientTables | undefined;
}

/** @param qkv [T, (heads + 2 kvHeads) * headDim] @returns [T, heads * headDim] */
export function attention(
  { gpu, tape }: Recording,
  qkv: Tensor,
  forest: Forest,
  options: AttentionOptions,
): Tensor {
  const { tables, gradient } = forest;
  if (gradient === undefined || !tape?.tracks(qkv)) return forward(gpu, qkv, tables, options);
  const { y, lse } = attentionWithLse(gpu, qkv, tables, options);
  tape.record(y, [qkv, y, lse], (dy) =>
    tape.pass(qkv, attentionBackward(gpu, { dy, qkv, y, lse }, tables, gradient, options)),
  );
  tape.release(lse);
  return y;
}

/** What stands between the two linears of the feed-forward part. @param x [T, I], with SwiGLU [T, 2 I] @returns [T, I] */
export function activate({ gpu, tape }: Recording, x: Tensor, kind: ModelConfig["activation"]): Tensor {
  const form = kind === "gelu-tanh" ? "tanh" : "erf";
  const y = kind === "swiglu" ? swiglu(gpu, x) : gelu(gpu, x, form);
  if (!tape?.tracks(x)) return y;
  tape.record(y, [x], (dy) =>
    tape.pass(x, kind === "swiglu" ? swigluGradient(gpu, dy, x) : geluGradient(gpu, dy, x, form)),
  );
  return y;
}

/**
 * Rows of an activation, each as often as it is named.
 * @param x [T, H] @param indices [n], each in [0, T)
 * @param capacity rows to make room for, so that buffers are the same for every batch; default n
 * @returns [n, H]
 */
export function gatherRows(
  { gpu, tape }: Recording,
  x: Tensor,
  indices: Int32Array,
  capacity = indices.length,
): Tensor {
  const y = rows.gatherRows(gpu, x, uploadTensor(gpu, indices, 1, "row indices", { capacity }));
  if (!tape?.tracks(x)) return y;
  const groups = uploadRowGroups(gpu, indices, { capacity });
  tape.record(y, [], (dy) => tape.give(x, (dx) => gatherRowsGradient(gpu, dy, groups, x, dx)));
  return y;
}
