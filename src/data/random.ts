/**
 * @file Random numbers that depend on (seed, stream, index) and nothing else: Philox4x32-10 of Salmon et al.,
 * "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011). A counter-based generator has no hidden state: a resumed
 * run and a shader draw the same numbers from the same counter.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** High 32 bits of the 64-bit product of two u32. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const middleLow = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + (middleLow >>> 16)) >>> 0;
}

export type Words4 = readonly [number, number, number, number];

/** One block of Philox4x32-10: four u32 from a counter of four u32 and a key of two. */
export function philox4x32(counter: Words4, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

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
