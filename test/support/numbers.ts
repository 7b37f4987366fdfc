/** @file Random inputs from a seed, and the error measure of every numerical test. */

/** Standard normal values, the same for the same seed (mulberry32 and Box-Muller). */
export function normals(seed: number, count: number, scale = 1): Float32Array {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(uniform()));
    return scale * radius * Math.cos(2 * Math.PI * uniform());
  });
}

/** |out - ref| / |ref| in L2; 0 for two empty or two zero vectors. NaN anywhere gives NaN, which passes no bound. */
export function relativeError(out: ArrayLike<number>, ref: ArrayLike<number>): number {
  if (out.length !== ref.length) throw new Error(`Lengths differ: ${out.length} and ${ref.length}`);
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < ref.length; i++) {
    difference += (out[i]! - ref[i]!) ** 2;
    norm += ref[i]! ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / norm);
}
