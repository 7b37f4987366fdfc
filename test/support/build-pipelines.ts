/**
 * @file Builds and dispatches every pipeline that this adapter can run (a process of its own; its shader cache is the
 * environment's). Prints JSON: whether the adapter is a CPU, and the seconds that each first dispatch took.
 */
import { fileURLToPath } from "node:url";
import { type Gpu, openGpu } from "../../src/gpu/gpu.ts";
import type { KernelVariant } from "../../src/gpu/kernel-source.ts";
import { variantKey } from "../../src/gpu/kernel-source.ts";

import { dispatchNothing } from "../../src/gpu/warm-up.ts";
import { canBuild, catalogue } from "../../src/kernels/catalogue.ts";

export interface BuildTimes {
  readonly software: boolean;
  readonly seconds: Readonly<Record<string, number>>;
}

export const script = fileURLToPath(import.meta.url);

/** Processor seconds of all threads: unlike the clock, they don't count what other processes do. */
const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function firstDispatch(gpu: Gpu, entry: KernelVariant): Promise<number> {
  const clock = performance.now();
  const cpu = cpuSeconds();
  dispatchNothing(gpu, entry);
  await gpu.finish();
  return Math.min((performance.now() - clock) / 1e3, cpuSeconds() - cpu);
}

async function main(): Promise<void> {
  using gpu = await openGpu();
  const seconds: Record<string, number> = {};
  for (const entry of catalogue) {
    if (!canBuild(gpu, entry)) continue;
    seconds[variantKey(entry.kernel, entry.variant)] = await firstDispatch(gpu, entry);
  }
  process.stdout.write(JSON.stringify({ software: gpu.facts.software, seconds } satisfies BuildTimes));
}

if (process.argv[1] === script) await main();
