/** @file What adapters add to a layer beside its linears: columns of fused matrices, and dropout. */
import { addColumns } from "../columns.ts";
import { dropout, uploadDropoutKeys } from "../dropout.ts";
import type { BenchCase } from "./cases.ts";
import { filled, oneSequence } from "./inputs.ts";
import type { BenchSize } from "./models.ts";

export function adapterCases({ tokens: T, width: H }: BenchSize): BenchCase[] {
  const part = H / 4;
  return [
    {
      name: "columns",
      shape: `[${T}, ${part}] into [${T}, ${H}]`,
      flops: 2 * T * part,
      bytes: 12 * T * part,
      prepare: (gpu) => {
        const x = filled(gpu, T, part);
        const into = filled(gpu, T, H);
        return () => addColumns(gpu, x, into, { first: part, scale: 0.5 });
      },
    },
    {
      name: "dropout",
      shape: `[${T}, ${H}]`,
      flops: T * H,
      bytes: 8 * T * H + 16 * T,
      prepare: (gpu) => {
        const x = filled(gpu, T, H);
        const keys = uploadDropoutKeys(gpu, oneSequence(T), T);
        return () => dropout(gpu, x, { p: 0.1, seed: 1, step: 1, module: 1, keys });
      },
    },
  ];
}
