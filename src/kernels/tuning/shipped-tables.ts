/** @file Written by scripts/ship-tuning.ts. */
import type { ShippedTable } from "./shipped.ts";

export const shippedTables: readonly ShippedTable[] = [
  {
    device: {
      vendor: "mesa",
      architecture: "software",
      subgroupMin: 8,
    },
    measured: "2026-11-26, llvmpipe: Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6) 0.0.1: 131 shapes",
    entries: [
      {
        operation: "linear_input_gradient",
        rows: 128,
        cols: 344,
        dtype: "f32",
        fewRows: true,
        variant: "broadcast",
      },
      {
        operation: "linear_input_gradient",
        rows: 688,
        cols: 128,
        dtype: "f32",
        fewRows: true,
        variant: "broadcast",
      },
      {
        operation: "linear_input_gradient",
        rows: 288,
        cols: 768,
        dtype: "f32",
        fewRows: true,
        variant: "broadcast",
      },
      {
        operation: "linear_input_gradient",
        rows: 288,
        cols: 288,
        dtype: "f32",
        fewRows: true,
        variant: "broadcast",
      },
      {
        operation: "linear_input_gradient",
        rows: 864,
        cols: 288,
        dtype: "f32",
        fewRows: true,
        variant: "broadcast",
      },
      {
        operation: "linear_input_gradient",
        rows: 1536,
        cols: 288,
        dtype: "bf16",
        fewRows: true,
        variant: "broadcast",
      },
    ],
  },
];
