/** @file Attention, the rotary embedding, norms and activations. */
import { uploadTensor } from "../../tensor/tensor.ts";
import { addInto } from "../add.ts";
import { attention, uploadForest } from "../attention.ts";
import { gelu } from "../gelu.ts";
import { headNorm } from "../head-norm.ts";
import { layerNorm } from "../layer-norm.ts";
import { rmsNorm } from "../rms-norm.ts";
import { rotary, rotaryTables } from "../rotary.ts";
import { swiglu } from "../swiglu.ts";
import type { BenchCase, BenchSize } from "./cases.ts";
import { filled, oneSequence } from "./inputs.ts";

const headDim = 64;

export function rowCases(size: BenchSize): BenchCase[] {
  return [...attentionCases(size), ...normCases(size), ...activationCases(size)];
}

function attentionCases({ tokens: T, width: H }: BenchSize): BenchCase[] {
  const heads = H / headDim;
  const kvHeads = heads / 4;
  const cols = H + 2 * kvHeads * headDim;
  return [
    {
      name: "attention",
      shape: `1 x ${T} tokens, ${heads}:${kvHeads} heads of ${headDim}, causal`,
      flops: 2 * T * (T + 1) * H,
      bytes: 4 * T * (cols + H),
      prepare: (gpu) => {
        const qkv = filled(gpu, T, cols);
        const forest = uploadForest(gpu, oneSequence(T), T);
        return () => attention(gpu, qkv, forest, { heads, kvHeads, headDim, scale: headDim ** -0.5 });
      },
    },
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
  ];
}

function normCases({ tokens: T, width: H }: BenchSize): BenchCase[] {
  const shape = `[${T}, ${H}]`;
  const bytes = 8 * T * H;
  return [
    {
      name: "rms_norm",
      shape,
      flops: 4 * T * H,
      bytes,
      prepare: (gpu) => {
        const x = filled(gpu, T, H);
        const weight = filled(gpu, 1, H);
        return () => rmsNorm(gpu, x, weight, 1e-5);
      },
    },
    {
      name: "layer_norm",
      shape,
      flops: 7 * T * H,
      bytes,
      prepare: (gpu) => {
        const x = filled(gpu, T, H);
        const weight = filled(gpu, 1, H);
        const bias = filled(gpu, 1, H);
        return () => layerNorm(gpu, x, weight, bias, 1e-5);
      },
    },
    {
      name: "add",
      shape,
      flops: T * H,
      bytes: 12 * T * H,
      prepare: (gpu) => {
        const y = filled(gpu, T, H);
        const x = filled(gpu, T, H);
        return () => addInto(gpu, y, x);
      },
    },
  ];
}

function activationCases({ tokens: T, width: H }: BenchSize): BenchCase[] {
  const inner = 4 * H;
  const geluCases = (["tanh", "erf"] as const).map(
    (form): BenchCase => ({
      name: `gelu ${form}`,
      shape: `[${T}, ${inner}]`,
      flops: (form === "tanh" ? 8 : 20) * T * inner,
      bytes: 8 * T * inner,
      prepare: (gpu) => {
        const x = filled(gpu, T, inner);
        return () => gelu(gpu, x, form);
      },
    }),
  );
  const gated: BenchCase = {
    name: "swiglu",
    shape: `[${T}, 2 x ${inner}]`,
    flops: 5 * T * inner,
    bytes: 12 * T * inner,
    prepare: (gpu) => {
      const gateUp = filled(gpu, T, 2 * inner);
      return () => swiglu(gpu, gateUp);
    },
  };
  return [gated, ...geluCases];
}
