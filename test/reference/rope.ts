/**
 * @file Rotary position embedding in float64, in the half-split layout of Hugging Face's checkpoints: elements i and
 * i + headDim/2 of a head are one pair (Su et al., arXiv:2104.09864, with `rotate_half`).
 */
import type { Rope } from "../../src/model/config.ts";
import type { Vector } from "./pointwise.ts";

/** [headDim / 2] radians per position of each pair: theta^(-2i/headDim), after Llama 3's rescaling if any. */
export function ropeFrequencies(headDim: number, rope: Rope): Float64Array {
  const plain = Float64Array.from({ length: headDim / 2 }, (_, i) => rope.theta ** ((-2 * i) / headDim));
  const { scaling } = rope;
  if (!scaling) return plain;
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  return plain.map((frequency) => {
    const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
    if (turns < lowFreqFactor) return frequency / factor;
    if (turns > highFreqFactor) return frequency;
    const smooth = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/** Rotates x [rows, heads, headDim], each row by its position. headDim is twice the number of frequencies. */
export function rotate(x: Vector, positions: Vector, frequencies: Vector): Float64Array {
  const half = frequencies.length;
  const perRow = x.length / positions.length;
  const out = new Float64Array(x.length);
  for (let row = 0; row < positions.length; row++) {
    for (let head = row * perRow; head < (row + 1) * perRow; head += 2 * half) {
      for (let i = 0; i < half; i++) {
        const angle = positions[row]! * frequencies[i]!;
        const a = x[head + i]!;
        const b = x[head + half + i]!;
        out[head + i] = a * Math.cos(angle) - b * Math.sin(angle);
        out[head + half + i] = b * Math.cos(angle) + a * Math.sin(angle);
      }
    }
  }
  return out;
}
