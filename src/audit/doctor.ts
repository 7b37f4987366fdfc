/**
 * @file Whether this adapter can be trusted, and how fast it is: a matrix product against float64, and the engine's two
 * promises (DESIGN: variant invariance and batch invariance) checked here, where drivers may contract or reassociate.
 */

import type { Limits } from "../gpu/facts.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { type Ceilings, measureCeilings } from "../kernels/ceilings.ts";
import { canRun, type LinearVariant, linear, linearBaseline, linearVariants } from "../kernels/linear.ts";
import { readTensor, uploadTensor } from "../tensor/tensor.ts";

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface Diagnosis {
  readonly adapter: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
    readonly software: boolean;
  };
  readonly features: readonly string[];
  readonly subgroups: { readonly min: number; readonly max: number };
  readonly limits: Limits;
  readonly checks: readonly Check[];
  readonly ceilings: Ceilings;
  /** What would help, in sentences. */
  readonly advice: readonly string[];
}

/** Sizes that are multiples of nothing, so that every tail is exercised. */
const shape = { rows: 67, inner: 203, outs: 131 };

export async function diagnose(gpu: Gpu): Promise<Diagnosis> {
  const { vendor, architecture, device, description, software, features, limits } = gpu.facts;
  return {
    adapter: { vendor, architecture, device, description, software },
    features: [...features].sort(),
    subgroups: { min: gpu.facts.subgroupMin, max: gpu.facts.subgroupMax },
    limits,
    checks: await checkLinear(gpu),
    ceilings: await measureCeilings(gpu),
    advice: advice(gpu),
  };
}

async function checkLinear(gpu: Gpu): Promise<Check[]> {
  const { rows, inner, outs } = shape;
  const x = wave(rows * inner, 0.7);
  const w = wave(outs * inner, 1.3);
  const run = async (variant: LinearVariant, from = 0, count = rows) => {
    using _scope = gpu.scope();
    const part = uploadTensor(gpu, x.subarray(from * inner, (from + count) * inner), inner, "x");
    return readTensor(gpu, linear(gpu, part, uploadTensor(gpu, w, inner, "w"), { variant }));
  };
  const baseline = await run(linearBaseline);
  const error = relativeError(baseline, product(x, w));
  const checks: Check[] = [
    {
      name: "matrix product",
      ok: error < 1e-5,
      detail: `relative error ${error.toExponential(1)} against float64`,
    },
  ];
  for (const variant of linearVariants.filter((v) => canRun(gpu, v))) {
    const whole = variant === linearBaseline ? baseline : await run(variant);
    const different = countDifferent(whole, baseline);
    checks.push({
      name: `linear (${variant}) equals the baseline`,
      ok: different === 0,
      detail: different === 0 ? "bit for bit" : `${different} of ${whole.length} values differ`,
    });
    const alone = await run(variant, 5, 1);
    const moved = countDifferent(alone, whole.subarray(5 * outs, 6 * outs));
    checks.push({
      name: `linear (${variant}): a row alone equals the row in its batch`,
      ok: moved === 0,
      detail: moved === 0 ? "bit for bit" : `${moved} of ${outs} values differ`,
    });
  }
  return checks;
}

function advice({ facts }: Gpu): string[] {
  const lines: string[] = [];
  if (facts.software) {
    lines.push(
      "This adapter is a CPU. If the machine has a GPU, install its vendor's Vulkan driver; it comes first then.",
    );
  }
  if (!facts.features.has("subgroups"))
    lines.push("Without subgroups the portable kernels run; a newer driver may offer them.");
  if (!facts.features.has("timestamp-query"))
    lines.push("Without timestamp queries, bench measures by the host's clock.");
  if (facts.limits.maxBinding < 2 ** 27)
    lines.push("Bindings below 128 MiB: large weights are bound in windows.");
  return lines;
}

/** Values between -1 and 1 without a pattern that sums could profit from. */
function wave(count: number, frequency: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(frequency * i * i + i));
}

function product(x: Float32Array, w: Float32Array): Float64Array {
  const { rows, inner, outs } = shape;
  const y = new Float64Array(rows * outs);
  for (let t = 0; t < rows; t++) {
    for (let n = 0; n < outs; n++) {
      for (let k = 0; k < inner; k++) y[t * outs + n]! += x[t * inner + k]! * w[n * inner + k]!;
    }
  }
  return y;
}

function relativeError(out: Float32Array, reference: Float64Array): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < reference.length; i++) {
    difference += (out[i]! - reference[i]!) ** 2;
    norm += reference[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}

function countDifferent(a: Float32Array, b: Float32Array): number {
  const x = new Uint32Array(a.buffer, a.byteOffset, a.length);
  const y = new Uint32Array(b.buffer, b.byteOffset, b.length);
  return x.reduce((count, bits, i) => count + (bits === y[i] ? 0 : 1), 0);
}
