/** @file Runs the benchmark's cases and relates them to what the device can do at best. */
import type { Gpu } from "../../gpu/gpu.ts";
import type { Timing } from "../../gpu/timer.ts";
import type { Ceilings } from "../ceilings.ts";
import type { BenchCase } from "./cases.ts";

export interface BenchRow {
  readonly name: string;
  readonly shape: string;
  /** Median of several runs. */
  readonly seconds: number;
  /** Whether the device measured, or the host's clock did. */
  readonly source: Timing["source"];
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
  /** The larger of both rates' shares of the device's ceilings. Above 1 where caches are faster than its memory. */
  readonly share: number;
}

const runs = 7;

export async function measure(gpu: Gpu, benchCase: BenchCase, ceilings: Ceilings): Promise<BenchRow> {
  using _inputs = gpu.scope();
  const record = benchCase.prepare(gpu);
  const once = () =>
    gpu.time(() => {
      using _outputs = gpu.scope();
      record();
    });
  // The first run builds the pipeline.
  const { source } = await once();
  const seconds: number[] = [];
  for (let run = 0; run < runs; run++) seconds.push((await once()).seconds);
  const median = seconds.sort((a, b) => a - b)[(runs - 1) / 2]!;
  const flopsPerSecond = benchCase.flops / median;
  const bytesPerSecond = benchCase.bytes / median;
  const share = Math.max(flopsPerSecond / ceilings.flopsPerSecond, bytesPerSecond / ceilings.bytesPerSecond);
  const { name, shape } = benchCase;
  return { name, shape, seconds: median, source, flopsPerSecond, bytesPerSecond, share };
}
