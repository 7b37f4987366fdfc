/**
 * @file Whether this adapter's matrix units compute the class f16 as docs/precision.md defines it: each product against
 * float64 on factors rounded on the host, a row alone against the row in its batch, and what f16 can't hold.
 */
import type { Gpu } from "../gpu/gpu.ts";
import { PrecisionError } from "../gpu/precision.ts";
import { createTensor, readTensor, uploadTensor } from "../tensor/tensor.ts";
import { linear } from "./linear.ts";
import { linearInputGradient, linearWeightGradient } from "./linear-gradient.ts";

/** Sizes that are multiples of nothing and more than a tile. */
const [T, K, N] = [67, 203, 131];
/**
 * Of a product's relative L2 error. Units that add their products less exactly than fma does stay below 1e-5 here; rounding
 * towards zero, or sums in f16, give 3e-4 and more.
 */
const mostError = 3e-5;

/** @throws PrecisionError saying what is wrong */
export async function checkMatrixClass(gpu: Gpu): Promise<void> {
  const faults = await matrixClassFaults(gpu);
  if (faults.length === 0) return;
  throw new PrecisionError(
    `--precision ${gpu.precision} can't be used: on this adapter (${gpu.facts.description || gpu.facts.device}) ${faults.join("; ")}. ` +
      "Use --precision f32, and please report this with the output of rmtrain doctor.",
  );
}

async function matrixClassFaults(gpu: Gpu): Promise<string[]> {
  using _scope = gpu.scope();
  const [x, w, dy] = [wave(T * K, 0.7, 1), wave(N * K, 1.3, 1), wave(T * N, 0.9, 0.9 * 2 ** -30)];
  const [X, W, DY] = [
    uploadTensor(gpu, x, K, "x"),
    uploadTensor(gpu, w, K, "w"),
    uploadTensor(gpu, dy, N, "dy"),
  ];
  const y = await readTensor(gpu, linear(gpu, X, W));
  const dx = await readTensor(gpu, linearInputGradient(gpu, DY, W));
  const into = createTensor(gpu, N, K, "dw");
  linearWeightGradient(gpu, DY, X, into);
  const dw = await readTensor(gpu, into);
  const [xh, wh] = [x.map(nearestHalf), w.map(nearestHalf)];
  // The largest of dy is between 2^-31 and 2^-30, which the class brings to 2^14 .. 2^15.
  const dyh = dy.map((v) => nearestHalf(v * 2 ** 45) * 2 ** -45);
  const errors: readonly (readonly [string, number])[] = [
    ["x W^T", errorOf(y, T, N, K, (t, n, k) => xh[t * K + k]! * wh[n * K + k]!)],
    ["dy W", errorOf(dx, T, K, N, (t, k, n) => dyh[t * N + n]! * wh[n * K + k]!)],
    ["dy^T x", errorOf(dw, N, K, T, (n, k, t) => dyh[t * N + n]! * xh[t * K + k]!)],
  ];
  const faults = errors
    .filter(([, error]) => !(error < mostError))
    .map(
      ([name, error]) =>
        `${name} is off by ${error.toExponential(1)} from its value on factors rounded to f16`,
    );
  const row = 5;
  const alone = await readTensor(
    gpu,
    linear(gpu, uploadTensor(gpu, x.slice(row * K, (row + 1) * K), K, "x"), W),
  );
  if (!alone.every((v, n) => Object.is(v, y[row * N + n])))
    faults.push("a row alone gives other bits than in a batch");
  x[row * K] = 70_000;
  const beyond = await readTensor(gpu, linear(gpu, uploadTensor(gpu, x, K, "x"), W));
  const finite = (at: number) => beyond.subarray(at * N, (at + 1) * N).every(Number.isFinite);
  if (beyond.subarray(row * N, (row + 1) * N).some(Number.isFinite) || !finite(row - 1))
    faults.push("a value past 65,504 does not become Inf");
  return faults;
}

/** Relative L2 error of [rows, cols] against sums of `depth` products. */
function errorOf(
  found: Float32Array,
  rows: number,
  cols: number,
  depth: number,
  product: (row: number, col: number, term: number) => number,
): number {
  let [difference, norm] = [0, 0];
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      let sum = 0;
      for (let term = 0; term < depth; term++) sum += product(row, col, term);
      difference += (found[row * cols + col]! - sum) ** 2;
      norm += sum ** 2;
    }
  }
  return Math.sqrt(difference / norm);
}

/** Values up to `size` without a pattern that sums could profit from. */
function wave(count: number, frequency: number, size: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => size * Math.sin(frequency * i * i + i));
}

/** The f16 number nearest to an f32 one, ties to even. */
function nearestHalf(x: number): number {
  const unit = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), -14) - 10);
  if (x === 0 || !Number.isFinite(x)) return x;
  // Adding 1.5 * 2^52 leaves no binary places: float64 rounds to the nearest whole number, ties to even.
  const whole = x / unit + 6755399441055744 - 6755399441055744;
  return Math.abs(whole * unit) > 65_504 ? Math.sign(x) * Number.POSITIVE_INFINITY : whole * unit;
}
