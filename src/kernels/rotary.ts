/** @file Rotary position embedding: the angles' tables, made in float64 on the host, and their use in place. */

import type { Gpu } from "../gpu/gpu.ts";
import type { KernelVariant } from "../gpu/kernel-source.ts";
import { bind, type Tensor } from "../tensor/tensor.ts";
import { rotary as kernel } from "./generated/index.ts";
import { ceilDiv, expectShape } from "./shapes.ts";

const WG = 64;

export interface RotaryConfig {
  readonly theta: number;
  /** Even. */
  readonly headDim: number;
  /** Llama 3's rescaling of the low frequencies. */
  readonly scaling?: {
    readonly factor: number;
    readonly lowFreqFactor: number;
    readonly highFreqFactor: number;
    readonly originalMaxPositions: number;
  };
}

/**
 * Radians per position of each pair: theta^(-2i/D). Llama 3's scaling leaves alone the pairs that turn more than
 * `highFreqFactor` times within the original context, slows those that turn less than `lowFreqFactor` times by
 * `factor`, and mixes both linearly in the number of turns between. Source: transformers, modeling_rope_utils.
 */
function frequencies({ theta, headDim, scaling }: RotaryConfig): Float64Array {
  const plain = Float64Array.from({ length: headDim / 2 }, (_, i) => theta ** ((-2 * i) / headDim));
  if (scaling === undefined) return plain;
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  return plain.map((frequency) => {
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
    const kept = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    const share = Math.min(1, Math.max(0, kept));
    return frequency * (share + (1 - share) / factor);
  });
}

/** cos and sin of every pair's angle, [positions, headDim / 2] each, rounded once from float64. */
export function rotaryTables(
  config: RotaryConfig,
  positions: number,
): { cos: Float32Array<ArrayBuffer>; sin: Float32Array<ArrayBuffer> } {
  const perPosition = frequencies(config);
  const half = perPosition.length;
  const cos = new Float32Array(positions * half);
  const sin = new Float32Array(positions * half);
  for (let p = 0; p < positions; p++) {
    for (let i = 0; i < half; i++) {
      const angle = p * perPosition[i]!;
      cos[p * half + i] = Math.cos(angle);
      sin[p * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

export interface RotaryOptions {
  /** Heads beside each other that share the tables: q's and k's together. */
  readonly heads: number;
  /** First column of the first head. */
  readonly firstCol: number;
  /** Even. */
  readonly headDim: number;
  /** [positions, headDim / 2] f32 each. */
  readonly tables: { readonly cos: Tensor; readonly sin: Tensor };
  /** [T, 1] i32: each row's position, below the tables' rows. */
  readonly positions: Tensor;
}

/**
 * Rotates the heads in columns [firstCol, firstCol + heads * headDim) of x [T, cols] f32, in place.
 * Source: Su et al. 2021, arXiv 2104.09864, with pairs (i, i + headDim / 2).
 */
export function rotary(gpu: Gpu, x: Tensor, options: RotaryOptions): void {
  turn("rotary", gpu, x, options, 1);
}

/**
 * The backward of `rotary`, in place: the gradient for its input out of that for its output, by the inverse rotation.
 * @param dx [T, cols] f32 @param options those that `rotary` was given
 */
export function rotaryBackward(gpu: Gpu, dx: Tensor, options: RotaryOptions): void {
  turn("rotaryBackward", gpu, dx, options, -1);
}

function turn(op: string, gpu: Gpu, x: Tensor, options: RotaryOptions, sign: 1 | -1): void {
  const { heads, firstCol, headDim, tables, positions } = options;
  const half = headDim / 2;
  if (!Number.isInteger(half)) throw new Error(`${op}: the head size ${headDim} is odd`);
  if (firstCol + heads * headDim > x.cols) throw new Error(`${op}: heads go past the end of ${x.shape}`);
  expectShape(op, positions, x.rows, 1, "i32");
  expectShape(op, tables.cos, tables.cos.rows, half);
  expectShape(op, tables.sin, tables.cos.rows, half);
  const width = half % 4 === 0 && firstCol % 4 === 0 ? 4 : 1;
  gpu.recorder.dispatch(kernel, {
    variant: width === 4 ? vec4 : f32,
    bindings: [bind(gpu, tables.cos), bind(gpu, tables.sin), bind(gpu, positions), bind(gpu, x)],
    params: {
      rows: x.rows,
      heads,
      half: half / width,
      first: firstCol / width,
      stride: x.stride / width,
      table_stride: tables.cos.stride / width,
      position_stride: positions.stride,
      turn: sign,
    },
    workgroups: ceilDiv(x.rows * (half / width), WG),
    work: 6 * x.rows * heads * half,
  });
}

const vec4 = { headers: { lanes: "vec4" } } as const;
const f32 = { headers: { lanes: "f32" } } as const;

/** Every pipeline of this file. */
export const rotaryKernels: readonly KernelVariant[] = [
  { kernel, variant: vec4 },
  { kernel, variant: f32 },
];
