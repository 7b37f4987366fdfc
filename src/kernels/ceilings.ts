/** @file What the device can do at best, measured: bytes copied and fused multiply-adds per second. */
import type { Gpu } from "../gpu/gpu.ts";
import { createTensor, type Tensor } from "../tensor/tensor.ts";
import { copy, fmaChain, fmaChainNarrow } from "./generated/index.ts";
import { ceilDiv } from "./shapes.ts";

const WG = 64;
/** Each chain is a vec4; `depth` fma of each chain in a step. Which is faster depends on how many registers there are. */
const chainKernels = [
  { kernel: fmaChain, chains: 8, depth: 4 },
  { kernel: fmaChainNarrow, chains: 2, depth: 32 },
] as const;
type ChainKernel = (typeof chainKernels)[number];
const flopsPerStep = ({ chains, depth }: ChainKernel) => chains * depth * 4 * 2;
/** Short and many, so that some find all cores free on a machine that does other things too. */
const runs = 15;

export interface Ceilings {
  /** Read and written together: the faster of both ways to copy. */
  readonly bytesPerSecond: number;
  /** A fused multiply-add counts as two: the faster of both kernels. */
  readonly flopsPerSecond: number;
  /** What each way reached, in the same units. */
  readonly parts: {
    readonly copyKernel: number;
    /** The command `copyBufferToBuffer`, by the host's clock. */
    readonly copyCommand: number;
    readonly fma8Chains: number;
    readonly fma2Chains: number;
  };
}

/** Best of several runs of a large copy and of chains of fma in registers: a device is as fast as its best run. */
export async function measureCeilings(gpu: Gpu): Promise<Ceilings> {
  const size = gpu.facts.software
    ? { bytes: 2 ** 24, lanes: 4096, flopsPerLane: 2 ** 17 }
    : { bytes: 2 ** 28, lanes: 2 ** 18, flopsPerLane: 2 ** 19 };
  const bytes = Math.min(size.bytes, gpu.facts.limits.maxBinding);
  const x = createTensor(gpu, bytes / 16, 4, "copy source", { persistent: true });
  const y = createTensor(gpu, bytes / 16, 4, "copy target", { persistent: true });
  try {
    gpu.recorder.clear(x.buffer, 0, x.buffer.size);
    const times = await leastOf(gpu, [
      async () => (await gpu.time(() => copyRows(gpu, x, y))).seconds,
      () => commandSeconds(gpu, x, y),
      ...chainKernels.map((of) => async () => (await runChains(gpu, of, y, size)).seconds),
    ]);
    const [kernelSeconds, copySeconds, wideSeconds, narrowSeconds] = times as [
      number,
      number,
      number,
      number,
    ];
    const flops = size.lanes * size.flopsPerLane;
    const parts = {
      copyKernel: (2 * bytes) / kernelSeconds,
      copyCommand: (2 * bytes) / copySeconds,
      fma8Chains: flops / wideSeconds,
      fma2Chains: flops / narrowSeconds,
    };
    return {
      bytesPerSecond: Math.max(parts.copyKernel, parts.copyCommand),
      flopsPerSecond: Math.max(parts.fma8Chains, parts.fma2Chains),
      parts,
    };
  } finally {
    gpu.release(x.buffer);
    gpu.release(y.buffer);
  }
}

/** The shortest time of each, in turns, so that what else the machine does for a while falls on all. */
async function leastOf(gpu: Gpu, ways: readonly (() => Promise<number>)[]): Promise<number[]> {
  // The first runs may compile.
  for (const way of ways) await way();
  await gpu.finish();
  const least = ways.map(() => Number.POSITIVE_INFINITY);
  for (let run = 0; run < runs; run++)
    for (const [i, way] of ways.entries()) least[i] = Math.min(least[i]!, await way());
  return least;
}

/** A copy outside of a pass, where no timestamp can be written. */
async function commandSeconds(gpu: Gpu, x: Tensor, y: Tensor): Promise<number> {
  await gpu.finish();
  const begin = performance.now();
  gpu.recorder.copyBuffer(x.buffer, 0, y.buffer, 0, x.buffer.size);
  await gpu.finish();
  return (performance.now() - begin) / 1e3;
}

function copyRows(gpu: Gpu, x: Tensor, y: Tensor): void {
  const count = x.rows * x.stride4;
  gpu.recorder.dispatch(copy, {
    bindings: [{ buffer: x.buffer }, { buffer: y.buffer }],
    params: { count },
    workgroups: ceilDiv(count, WG),
  });
}

function runChains(gpu: Gpu, of: ChainKernel, y: Tensor, size: { lanes: number; flopsPerLane: number }) {
  const { lanes } = size;
  const steps = size.flopsPerLane / flopsPerStep(of);
  return gpu.time(() =>
    gpu.recorder.dispatch(of.kernel, {
      bindings: [{ buffer: y.buffer }],
      params: { count: lanes, steps, a: 0.999, b: 0.001 },
      workgroups: ceilDiv(lanes, WG),
    }),
  );
}

export const ceilingKernels = [copy, ...chainKernels.map(({ kernel }) => kernel)].map((kernel) => ({
  kernel,
  variant: {},
}));
