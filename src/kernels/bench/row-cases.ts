/** @file Norms, softmax and activations. */
import { addInto } from "../add.ts";
import { gelu } from "../gelu.ts";
import { layerNorm } from "../layer-norm.ts";
import { rmsNorm } from "../rms-norm.ts";
import { softmax } from "../softmax.ts";
import { swiglu } from "../swiglu.ts";
import type { BenchCase } from "./cases.ts";
import { filled } from "./inputs.ts";
import type { BenchSize } from "./models.ts";

export function rowCases(size: BenchSize): BenchCase[] {
  return [...normCases(size), ...activationCases(size)];
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
      name: "softmax",
      shape,
      flops: 5 * T * H,
      bytes,
      prepare: (gpu) => {
        const x = filled(gpu, T, H);
        return () => softmax(gpu, x);
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

function activationCases({ tokens: T, inner }: BenchSize): BenchCase[] {
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
