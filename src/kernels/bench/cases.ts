/** @file What `rmtrain bench` measures: each operation at one shape, with the arithmetic and the memory it can't do without. */
import type { Gpu } from "../../gpu/gpu.ts";
import { adapterCases } from "./adapter-cases.ts";
import { attentionCases } from "./attention-cases.ts";
import { linearCases } from "./linear-cases.ts";
import { rowCases } from "./row-cases.ts";
import { rowGradientCases } from "./row-gradient-cases.ts";
import { trainingCases } from "./training-cases.ts";
import { vocabularyCases } from "./vocabulary-cases.ts";

export interface BenchCase {
  /** The kernel, and what tells its cases apart. */
  readonly name: string;
  readonly shape: string;
  /** Floating-point operations; a multiply-add counts as two, a transcendental function as one. */
  readonly flops: number;
  /** Bytes of all inputs, each read once, and of all outputs. */
  readonly bytes: number;
  /** Uploads inputs into the current scope; returns what is measured, to be called within a scope of its own. */
  readonly prepare: (gpu: Gpu) => () => void;
}

/** Tokens, and the width of the model whose layers are measured. */
export interface BenchSize {
  readonly tokens: number;
  readonly width: number;
}

export function benchCases(gpu: Gpu): readonly BenchCase[] {
  const size = gpu.facts.software ? { tokens: 256, width: 768 } : { tokens: 4096, width: 2048 };
  return [
    ...linearCases(gpu, size),
    ...attentionCases(size),
    ...rowCases(size),
    ...rowGradientCases(size),
    ...adapterCases(size),
    ...trainingCases(size),
    ...vocabularyCases(size),
  ];
}
