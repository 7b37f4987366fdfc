/** @file What is timed: the day's clock or, with --processor, the processor time of all threads. */
import { clocked } from "../lib/interleave.ts";

export const byProcessor = process.argv.includes("--processor");

async function onProcessor(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Seconds that `work` takes. */
export const timed: (work: () => unknown) => Promise<number> = byProcessor ? onProcessor : clocked;
