/**
 * @file Random numbers that depend on (seed, stream, index) and nothing else. A counter-based generator has no hidden
 * state: a resumed run draws the same numbers from the same counter.
 */
import { philox4x32, type Words4 } from "../kernels/philox.ts";

/** What a stream of numbers is for: two purposes with one seed never share a number. */
export const STREAMS = { split: 1, shuffle: 2, headInit: 3, loraInit: 4 } as const;

/** The numbers of one (seed, stream, index) in order; `index` may be an epoch. */
export class Random {
  readonly #key: readonly [number, number];
  readonly #stream: number;
  readonly #index: number;
  #block = 0;
  #words: number[] = [];
  #spareNormal: number | undefined;

  /** @param seed a safe integer, at least 0. */
  constructor(seed: number, stream: number, index = 0) {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new RangeError(`a seed is an integer >= 0, not ${seed}`);
    this.#key = [seed >>> 0, Math.floor(seed / 2 ** 32)];
    this.#stream = stream;
    this.#index = index;
  }

  /** Uniform in [0, 2^32). */
  uint32(): number {
    if (this.#words.length === 0) {
      const counter: Words4 = [
        this.#block >>> 0,
        Math.floor(this.#block / 2 ** 32),
        this.#index,
        this.#stream,
      ];
      this.#words = philox4x32(counter, this.#key).slice().reverse();
      this.#block += 1;
    }
    return this.#words.pop() ?? 0;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    return (high * 2 ** 26 + (this.uint32() >>> 6)) * 2 ** -53;
  }

  /** Uniform integer in [0, n), 1 <= n <= 2^32; numbers that would favour small results are drawn again. */
  below(n: number): number {
    const limit = 2 ** 32 - (2 ** 32 % n);
    let word = this.uint32();
    while (word >= limit) word = this.uint32();
    return word % n;
  }

  /** Standard normal, by Box and Muller's transform in float64. */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

/** 0 .. n-1 in random order (Fisher and Yates). */
export function permutation(n: number, random: Random): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
  return order;
}
