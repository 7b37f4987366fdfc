/** @file What is done to parameters once a step: the gradient's norm, clipping, the optimiser. */
import type { GpuBuffer } from "../../gpu/buffers.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { ArenaRange } from "../../tensor/parameters.ts";
import { adamw } from "../adamw.ts";
import { clipByGlobalNorm, partialSums, sumOfSquares } from "../gradient-norm.ts";
import type { BenchCase } from "./cases.ts";
import { filled } from "./inputs.ts";
import { metricsOf } from "./loss-cases.ts";
import type { BenchModel } from "./models.ts";

const adam = { lr: 1e-3, step: 1, weightDecay: 0.01, beta1: 0.9, beta2: 0.999, eps: 1e-8 };

export function parameterCases({ width: H }: BenchModel): BenchCase[] {
  const shape = `${H * H} parameters`;
  const partials = partialSums((H * H) / 4);
  return [
    {
      name: "sum_squares",
      shape,
      flops: 2 * H * H,
      bytes: 4 * H * H,
      prepare: (gpu) => {
        const gradient = filled(gpu, H, H);
        const sums = gpu.allocate(4 * partials, "bench sums");
        return () => sumOfSquares(gpu, { buffer: gradient.buffer }, (H * H) / 4, { buffer: sums }, 0);
      },
    },
    {
      name: "clip",
      shape: `${partials} partial sums`,
      flops: partials,
      bytes: 4 * partials,
      prepare: (gpu) => {
        const sums = filled(gpu, 1, partials);
        const state = { step: 1, maxGradNorm: 1, metrics: metricsOf(gpu), row: 0 };
        const control = goodControl(gpu);
        return () => clipByGlobalNorm(gpu, { buffer: sums.buffer }, partials, control, state);
      },
    },
    {
      name: "adamw",
      shape,
      flops: 14 * H * H,
      // Gradient, and read and written: weight and two moments.
      bytes: 7 * 4 * H * H,
      prepare: (gpu) => {
        const range = parameters(gpu, H);
        const control = goodControl(gpu);
        return () => adamw(gpu, range, control, adam);
      },
    },
  ];
}

/** H x H parameters in their four roles, with zeros as second moments: those are never negative. */
function parameters(gpu: Gpu, H: number): ArenaRange {
  const [master, gradient, m, v] = [
    filled(gpu, H, H),
    filled(gpu, H, H),
    filled(gpu, H, H),
    filled(gpu, H, H),
  ];
  gpu.recorder.clear(v.buffer, 0, v.buffer.size);
  const roles = { master, gradient, m, v };
  return {
    bytes: 4 * H * H,
    decay: true,
    group: "base",
    binding: (role) => ({ buffer: roles[role].buffer }),
  };
}

/** No bad step so far, factor 1. */
function goodControl(gpu: Gpu): GpuBuffer {
  const control = gpu.allocate(16, "bench control");
  gpu.write(control, 0, Uint32Array.of(0, 0x3f800000, 0, 0));
  return control;
}
