/** @file What the device can do at best, measured: bytes copied and fused multiply-adds per second. */
import type { Gpu } from "../gpu/gpu.ts";
import { createTensor, type Tensor } from "../tensor/tensor.ts";
import { copy, fmaChain } from "./generated/index.ts";
import { ceilDiv } from "./shapes.ts";

const WG = 64;
/** Of fma_chain: 8 chains of vec4s, 4 fma each. */
const flopsPerStep = 8 * 4 * 4 * 2;

export interface Ceilings {
  /** Read and written together. */
  readonly bytesPerSecond: number;
  /** A fused multiply-add counts as two. */
  readonly flopsPerSecond: number;
}

/** Best of several runs of a large copy and of chains of fma in registers. */
export async function measureCeilings(gpu: Gpu): Promise<Ceilings> {
  const size = gpu.facts.software
    ? { bytes: 2 ** 24, lanes: 4096, steps: 1024 }
    : { bytes: 2 ** 28, lanes: 2 ** 18, steps: 2048 };
  const bytes = Math.min(size.bytes, gpu.facts.limits.maxBinding);
  const x = createTensor(gpu, bytes / 16, 4, "copy source", { persistent: true });
  const y = createTensor(gpu, bytes / 16, 4, "copy target", { persistent: true });
  try {
    gpu.recorder.clear(x.buffer, 0, x.buffer.size);
    const copySeconds = await best(gpu, () => copyRows(gpu, x, y));
    const fmaSeconds = await best(gpu, () => runChains(gpu, y, size.lanes, size.steps));
    return {
      bytesPerSecond: (2 * bytes) / copySeconds,
      flopsPerSecond: (size.lanes * size.steps * flopsPerStep) / fmaSeconds,
    };
  } finally {
    gpu.release(x.buffer);
    gpu.release(y.buffer);
  }
}

async function best(gpu: Gpu, record: () => void): Promise<number> {
  // The first run may compile.
  await gpu.time(record);
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run++) least = Math.min(least, (await gpu.time(record)).seconds);
  return least;
}

function copyRows(gpu: Gpu, x: Tensor, y: Tensor): void {
  const count = x.rows * x.stride4;
  gpu.recorder.dispatch(copy, {
    bindings: [{ buffer: x.buffer }, { buffer: y.buffer }],
    params: { count },
    workgroups: ceilDiv(count, WG),
  });
}

function runChains(gpu: Gpu, y: Tensor, lanes: number, steps: number): void {
  gpu.recorder.dispatch(fmaChain, {
    bindings: [{ buffer: y.buffer }],
    params: { count: lanes, steps, a: 0.999, b: 0.001 },
    workgroups: ceilDiv(lanes, WG),
  });
}

export const ceilingKernels = [
  { kernel: copy, variant: {} },
  { kernel: fmaChain, variant: {} },
];
