/** @file Written by scripts/ship-tuning.ts; a table without entries says that the defaults won on that device. */
import type { ShippedTable } from "./shipped.ts";

export const shippedTables: readonly ShippedTable[] = [
  {
    device: { vendor: "mesa", architecture: "software", subgroupMin: 8 },
    measured:
      "2026-11-26, llvmpipe: Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6): 131 shapes; six choices won once, by up to 1.2 times, and three of them not again",
    entries: [],
  },
];
