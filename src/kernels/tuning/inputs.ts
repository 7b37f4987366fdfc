/**
 * @file Inputs on which variants are compared and timed: random bits in every place, so that each product rounds and a
 * sum in another order shows.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import { createTensor, type Dtype, type Tensor, uploadTensor } from "../../tensor/tensor.ts";

/** Random numbers of 32 bits, the same for the same seed (xorshift). */
function random(seed: number): () => number {
  let state = (Math.imul(seed + 1, 0x9e3779b1) | 1) >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Sign and mantissa random, magnitudes from 1/8 to 2. */
const bits16 = {
  f16: (word: number) => (word & 0x83ff) | ((12 + ((word >>> 16) % 4)) << 10),
  bf16: (word: number) => (word & 0x807f) | ((124 + ((word >>> 16) % 4)) << 7),
} as const;

/** Prime, so that rows don't repeat one another; more random numbers would cost the host more than the device. */
const distinct = 65_521;

/** [rows, cols] with values of magnitudes up to 2. */
export function noise(gpu: Gpu, rows: number, cols: number, seed: number, dtype: Dtype = "f32"): Tensor {
  const next = random(seed);
  const count = Math.min(distinct, rows * cols);
  if (dtype !== "f16" && dtype !== "bf16") {
    const pattern = Float32Array.from({ length: count }, () => next() / 2 ** 30 - 2);
    return uploadTensor(gpu, repeat(new Float32Array(rows * cols), pattern), cols, "tuning input");
  }
  const tensor = createTensor(gpu, rows, cols, "tuning weight", { dtype });
  const { stride } = tensor;
  const pattern = Uint16Array.from({ length: count }, () => bits16[dtype](next()));
  const packed = repeat(new Uint16Array(rows * cols), pattern);
  const words = cols === stride ? packed : new Uint16Array(rows * stride);
  if (cols !== stride)
    for (let row = 0; row < rows; row++)
      words.set(packed.subarray(row * cols, (row + 1) * cols), row * stride);
  if (words.length > 0) gpu.write(tensor.buffer, 0, words);
  return tensor;
}

/** Fills `all` with the pattern, from its begin again and again. */
function repeat<A extends Float32Array | Uint16Array>(all: A, pattern: A): A {
  for (let at = 0; at < all.length; at += pattern.length) all.set(pattern.subarray(0, all.length - at), at);
  return all;
}
