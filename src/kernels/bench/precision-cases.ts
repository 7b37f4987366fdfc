/** @file What the tensor-core class adds to products: factors rounded to f16, the magnitudes of gradients. */
import { gradientMaxima } from "../gradient-scale.ts";
import { roundedFactor, roundedWeight } from "../rounded-factors.ts";
import type { BenchCase } from "./cases.ts";
import { filled } from "./inputs.ts";
import type { BenchSize } from "./models.ts";

export function precisionCases({ tokens: T, width: H }: BenchSize): BenchCase[] {
  return [
    {
      name: "absolute_maxima",
      shape: `[${T}, ${H}]`,
      flops: T * H,
      bytes: 4 * T * H,
      prepare: (gpu) => {
        const dy = filled(gpu, T, H);
        return () => gradientMaxima(gpu, dy);
      },
    },
    {
      name: "round_f16",
      shape: `[${T}, ${H}]`,
      flops: T * H,
      bytes: 8 * T * H,
      prepare: (gpu) => {
        const x = filled(gpu, T, H);
        return () => roundedFactor(gpu, x);
      },
    },
    {
      name: "bf16_to_f16",
      shape: `[${H}, ${H}]`,
      flops: H * H,
      bytes: 4 * H * H,
      prepare: (gpu) => {
        const weight = filled(gpu, H, H, "bf16");
        return () => roundedWeight(gpu, weight);
      },
    },
  ];
}
