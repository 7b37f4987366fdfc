/**
 * @file Times several ways of doing the same thing beside each other: round by round, each once a round, in an order
 * that rotates, so that what else the machine does falls on all of them alike. Only the ratios of one call mean much.
 */
import { median, quantile } from "../../src/kernels/bench/statistics.ts";

export interface Contestant {
  readonly name: string;
  /** Does the work once, to its end, and says how many seconds it took. */
  readonly run: () => Promise<number>;
}

/** Seconds. */
export interface Standing {
  readonly name: string;
  readonly median: number;
  readonly best: number;
  /** Lower quartile. */
  readonly low: number;
  /** Upper quartile. */
  readonly high: number;
}

export interface InterleaveOptions {
  /** Timed runs of each contestant. */
  readonly rounds: number;
  /** Rounds before them that aren't counted: pipelines are built, caches fill. Default 1. */
  readonly warmup?: number;
}

/**
 * The contestants' standings, in the order given.
 *
 * @throws RangeError for no rounds, or where a run gives anything but a time.
 */
export async function interleave(
  contestants: readonly Contestant[],
  { rounds, warmup = 1 }: InterleaveOptions,
): Promise<Standing[]> {
  if (!(rounds >= 1)) throw new RangeError(`interleave: ${rounds} rounds, needs at least 1`);
  const times = contestants.map((): number[] => []);
  for (let round = -warmup; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const which = (turn + warmup + round) % contestants.length;
      const { name, run } = contestants[which]!;
      const seconds = await run();
      if (!(seconds >= 0)) throw new RangeError(`interleave: a run of ${name} took ${seconds} seconds`);
      if (round >= 0) times[which]!.push(seconds);
    }
  }
  return contestants.map(({ name }, which) => standing(name, times[which]!));
}

const standing = (name: string, times: readonly number[]): Standing => ({
  name,
  median: median(times),
  best: Math.min(...times),
  low: quantile(times, 0.25),
  high: quantile(times, 0.75),
});

/** Seconds that `work` takes by the host's clock; for the `run` of a contestant. */
export async function clocked(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1e3;
}
