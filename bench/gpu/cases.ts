/** @file What is timed on a GPU: sizes that fill one, and small ones that show on a CPU that all of it runs. */
import { linear, type PeerCase, rowWise, trainingStep } from "../peers/peer-case.ts";

/** Often enough that starting a kernel and waiting for it do not count. */
const often = (definition: PeerCase, repeats: number): PeerCase => ({
  ...definition,
  sizes: { ...definition.sizes, repeats },
});

const swiglu = (rows: number, cols: number): PeerCase => ({
  name: `swiglu ${rows}x${cols}`,
  operation: "swiglu",
  shape: `[${rows}, 2 x ${cols}]`,
  sizes: { rows, cols },
  flops: 0,
  bytes: 12 * rows * cols,
});

/** Causal, one sequence. Backwards computes the scores again: 5 products for 2. */
function attention(rows: number, heads: number, headDim: number, gradient: boolean): PeerCase {
  const forward = 2 * rows * (rows + 1) * heads * headDim;
  return {
    name: `attention ${gradient ? "forward and backward " : ""}${rows}, ${heads} heads of ${headDim}`,
    operation: gradient ? "attention_gradient" : "attention",
    shape: "f32, causal",
    sizes: { rows, heads, headDim },
    flops: gradient ? 3.5 * forward : forward,
  };
}

export async function gpuCases(): Promise<PeerCase[]> {
  const large = [
    ...[
      linear(4096, 4096, 4096),
      linear(2048, 2048, 8192),
      linear(2048, 14_336, 4096),
      linear(8, 4096, 4096),
    ],
    ...[rowWise("layer_norm", 8192, 4096), rowWise("rms_norm", 8192, 4096), rowWise("softmax", 8192, 4096)],
    swiglu(8192, 8192),
    ...[64, 128, 256].flatMap((headDim) =>
      [false, true].map((gradient) => attention(2048, 2048 / headDim, headDim, gradient)),
    ),
  ];
  const step = await trainingStep(32, { hidden: 768, heads: 12, intermediate: 2048, layers: 6 });
  return [...large.map((definition) => often(definition, 10)), step];
}

export async function smallCases(): Promise<PeerCase[]> {
  const small = [
    ...[linear(64, 64, 64), linear(8, 64, 64)],
    ...[rowWise("layer_norm", 64, 64), rowWise("rms_norm", 64, 64), rowWise("softmax", 64, 64)],
    swiglu(64, 64),
    ...[false, true].map((gradient) => attention(64, 2, 32, gradient)),
  ];
  const step = await trainingStep(1, { hidden: 32, heads: 2, intermediate: 64, layers: 1 });
  return [...small.map((definition) => often(definition, 2)), step];
}
