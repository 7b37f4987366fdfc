/** @file What the page runs: the engine on `navigator.gpu`, its result posted back as JSON. Compiled by the test. */
import { openGpu } from "../../src/gpu/gpu.ts";
import { canRun, linear, linearVariants } from "../../src/kernels/linear.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { relativeError } from "../support/numbers.ts";

export interface PageResult {
  readonly adapter: string;
  /** Relative error against float64, by variant of `linear`. */
  readonly errors: Readonly<Record<string, number>>;
}

const [rows, inner, outs] = [37, 45, 29];

export async function run(): Promise<PageResult> {
  using gpu = await openGpu();
  const x = Float32Array.from({ length: rows * inner }, (_, i) => Math.sin(i));
  const w = Float32Array.from({ length: outs * inner }, (_, i) => Math.cos(1.3 * i));
  const expected = new Float64Array(rows * outs);
  for (let t = 0; t < rows; t++) {
    for (let n = 0; n < outs; n++) {
      for (let k = 0; k < inner; k++) expected[t * outs + n]! += x[t * inner + k]! * w[n * inner + k]!;
    }
  }
  const errors: Record<string, number> = {};
  for (const variant of linearVariants.filter((v) => canRun(gpu, v))) {
    using _scope = gpu.scope();
    const y = linear(gpu, uploadTensor(gpu, x, inner, "x"), uploadTensor(gpu, w, inner, "w"), { variant });
    errors[variant] = relativeError(await readTensor(gpu, y), expected);
  }
  return { adapter: `${gpu.facts.vendor} ${gpu.facts.architecture}`, errors };
}
