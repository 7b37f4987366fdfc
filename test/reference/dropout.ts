/** @file Dropout's mask from its definition, with Philox in 64-bit integers. */
import type { Vector } from "./pointwise.ts";

const word = 0xffffffffn;

/** Philox4x32-10 as its paper has it (Salmon et al. 2011, section 3.3), on BigInts. */
export function philox(counter: readonly bigint[], key: readonly bigint[]): bigint[] {
  let [a, b, c, d] = counter as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const p = 0xd2511f53n * a;
    const q = 0xcd9e8d57n * c;
    [a, b, c, d] = [(q >> 32n) ^ b ^ k0, q & word, (p >> 32n) ^ d ^ k1, p & word];
    k0 = (k0 + 0x9e3779b9n) & word;
    k1 = (k1 + 0xbb67ae85n) & word;
  }
  return [a, b, c, d];
}

export interface Mask {
  readonly p: number;
  readonly seed: number;
  readonly step: number;
  readonly module: number;
}

/**
 * [rows, cols] of 0 and 1 / (1 - p). Row t's key is Philox's first two words of (hash before, token, 0) along its path,
 * begun with 0, and its position.
 * @param paths the token ids from the sequence's begin up to each row
 */
export function dropoutMask(
  { p, seed, step, module }: Mask,
  paths: readonly Vector[],
  cols: number,
): Float64Array {
  const wide = BigInt(seed);
  const key = philox([wide & word, wide >> 32n, BigInt(step), BigInt(module)], [0x64726f70n, 0n]);
  const mask = new Float64Array(paths.length * cols);
  for (const [row, path] of paths.entries()) {
    let hash = [0n, 0n];
    for (let i = 0; i < path.length; i++)
      hash = philox([hash[0]!, hash[1]!, BigInt(path[i]!), 0n], [0x70617468n, 0n]);
    for (let col = 0; col < cols; col++) {
      const words = philox(
        [hash[0]!, hash[1]!, BigInt(path.length - 1), BigInt(Math.floor(col / 4))],
        [key[0]!, key[1]!],
      );
      mask[row * cols + col] = Number(words[col % 4]!) < Math.floor(p * 2 ** 32) ? 0 : 1 / (1 - p);
    }
  }
  return mask;
}
