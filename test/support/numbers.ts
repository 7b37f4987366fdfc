/** @file Random inputs from a seed, and the error measure of every numerical test. */
export { relativeError } from "../reference/error.ts";

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
