/** @file How long pipelines take to build: what WebGPU's implementation translates, and what the driver compiles. */
import type { Gpu } from "../../gpu/gpu.ts";
import { type KernelVariant, variantKey } from "../../gpu/kernel-source.ts";
import { dispatchNothing } from "../../gpu/warm-up.ts";

/** Seconds, by the host's clock. */
export interface Build {
  /** The kernel and its variant. */
  readonly pipeline: string;
  /** Until WebGPU has the pipeline. */
  readonly pipelineSeconds: number;
  /** Of the first dispatch, which does nothing: some drivers compile only now. */
  readonly dispatchSeconds: number;
}

/** One after the other, so that each has all processors. */
export async function measureBuild(gpu: Gpu, entry: KernelVariant): Promise<Build> {
  const begin = performance.now();
  await gpu.pipelines.compile(entry.kernel, entry.variant);
  const built = performance.now();
  dispatchNothing(gpu, entry);
  await gpu.finish();
  const done = performance.now();
  return {
    pipeline: variantKey(entry.kernel, entry.variant),
    pipelineSeconds: (built - begin) / 1e3,
    dispatchSeconds: (done - built) / 1e3,
  };
}
