/** @file Seeded random numbers for the scripts that write committed files: equal seeds give equal bytes. */

/** A stream of random numbers. */
export interface Random {
  /** Uniform in [0, 1), 32 random bits. */
  uniform(): number;
  /** Uniform in 0 .. n - 1. */
  below(n: number): number;
  /** Standard normal (Box-Muller, one value per two uniforms). */
  normal(): number;
  /** One item of a list that is not empty. */
  pick<T>(items: readonly T[]): T;
  /** A shuffled copy (Fisher-Yates). */
  shuffled<T>(items: readonly T[]): T[];
}

/**
 * SplitMix32: a Weyl sequence through a 32-bit finaliser (Steele, Lea and Flood, "Fast Splittable Pseudorandom
 * Number Generators", 2014, with the 32-bit constants of MurmurHash3). The seed is any integer.
 */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  const bits = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  const uniform = (): number => bits() / 2 ** 32;
  const below = (n: number): number => Math.floor(uniform() * n);
  return {
    uniform,
    below,
    normal: () => {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return radius * Math.cos(2 * Math.PI * uniform());
    },
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError("pick from an empty list");
      return item;
    },
    shuffled: <T>(items: readonly T[]): T[] => {
      const out = [...items];
      for (let i = out.length - 1; i > 0; i--) {
        const j = below(i + 1);
        [out[i], out[j]] = [out[j] as T, out[i] as T];
      }
      return out;
    },
  };
}
