/** @file Checks on this adapter: a matrix product against float64, and the engine's promises of equal bits. */
import type { Gpu } from "../gpu/gpu.ts";
import { attention, uploadForest } from "../kernels/attention.ts";
import {
  canRun,
  type LinearVariant,
  linear,
  linearBaseline,
  linearOperation,
  linearVariants,
} from "../kernels/linear.ts";
import type { PackedBatch } from "../kernels/packed-batch.ts";
import { tuningCases } from "../kernels/tuning/cases.ts";
import { wrongVariants } from "../kernels/tuning/compare.ts";
import { variantRegistry } from "../kernels/variant-registry.ts";
import { runnableVariants } from "../kernels/variants.ts";
import { readTensor, uploadTensor } from "../tensor/tensor.ts";

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Sizes that are multiples of nothing, so that every tail is exercised. */
const shape = { rows: 67, inner: 203, outs: 131 };

/** Each variant of `linear` against the baseline bit for bit, and a row alone against the row in its batch. */
export async function checkLinear(gpu: Gpu): Promise<Check[]> {
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

/** Each variant of every other operation against its baseline: bits where those are promised, else nearly the result. */
export async function checkVariants(gpu: Gpu): Promise<Check[]> {
  const checks: Check[] = [];
  for (const of of variantRegistry) {
    const record = tuningCases[of.operation];
    const others = runnableVariants(gpu, of).slice(1);
    if (of.operation === linearOperation.operation || record === undefined || others.length === 0) continue;
    using _scope = gpu.scope();
    const weight = { rows: shape.outs, cols: evenCols, dtype: "f32" } as const;
    const wrong = await wrongVariants(gpu, of, record(gpu, weight, shape.rows));
    const promised = of.equalBits ? "bit for bit" : "within 2e-5";
    for (const variant of others) {
      const problem = wrong.get(variant);
      const name = `${of.operation} (${variant}) ${of.equalBits ? "equals" : "is near"} the baseline`;
      checks.push({ name, ok: problem === undefined, detail: problem ?? promised });
    }
  }
  return checks;
}

/** As a head size, too. */
const evenCols = 86;

/** Two replies of 6 and 21 rows that share a prompt of 19. */
const heads = { heads: 4, kvHeads: 2, headDim: 12, scale: 0.3 };
const prompt = 19;
const replies = [6, 21];

/** Attention over replies that share a prompt against one of the replies with the prompt to itself, bit for bit. */
export async function checkAttention(gpu: Gpu): Promise<Check> {
  const cols = (heads.heads + 2 * heads.kvHeads) * heads.headDim;
  const rows = prompt + replies.reduce((sum, n) => sum + n, 0);
  const values = wave(rows * cols, 0.9);
  const run = async (batch: PackedBatch, qkv: Float32Array) => {
    using _scope = gpu.scope();
    const y = attention(
      gpu,
      uploadTensor(gpu, qkv, cols, "qkv"),
      uploadForest(gpu, batch, batch.rows),
      heads,
    );
    return readTensor(gpu, y);
  };
  const [first = 0, second = 0] = replies;
  const shared = [0, 0, 0, prompt, 0, prompt, prompt, first, 0, prompt, prompt + first, second];
  const packed = await run(forest(rows, shared, prompt + second), values);
  const alone = new Float32Array((prompt + second) * cols);
  alone.set(values.subarray(0, prompt * cols));
  alone.set(values.subarray((prompt + first) * cols), prompt * cols);
  const single = await run(forest(prompt + second, [0, 0, 0, prompt + second], prompt + second), alone);
  const width = heads.heads * heads.headDim;
  const different =
    countDifferent(packed.subarray(0, prompt * width), single.subarray(0, prompt * width)) +
    countDifferent(packed.subarray((prompt + first) * width), single.subarray(prompt * width));
  return {
    name: "attention: a shared prompt equals a prompt of one's own",
    ok: different === 0,
    detail: different === 0 ? "bit for bit" : `${different} of ${single.length} values differ`,
  };
}

function forest(rows: number, segments: readonly number[], maxPath: number): PackedBatch {
  return {
    rows,
    ids: new Int32Array(rows),
    positions: new Int32Array(rows),
    segments: Int32Array.from(segments),
    sequenceSegments: Int32Array.of(segments.length / 4 - 1),
    maxPath,
    paddedTokens: rows,
  };
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
