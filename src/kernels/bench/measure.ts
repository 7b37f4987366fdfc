/** @file Runs a case of the benchmark and relates it to what the device can do at best. */
import type { Gpu } from "../../gpu/gpu.ts";
import { variantKey } from "../../gpu/kernel-source.ts";
import type { Timing } from "../../gpu/timer.ts";
import type { Ceilings } from "../ceilings.ts";
import type { BenchCase } from "./cases.ts";
import { median, quantile } from "./statistics.ts";

export interface BenchRow {
  readonly name: string;
  readonly shape: string;
  /** Whether it is what runs at this shape where no variant is forced. */
  readonly chosen: boolean;
  /** Median of several runs. */
  readonly seconds: number;
  /** The quartiles. */
  readonly low: number;
  readonly high: number;
  readonly runs: number;
  /** Whether the device measured, or the host's clock did. */
  readonly source: Timing["source"];
  /** What the first run took longer than the median: pipelines that this process had not built yet, above all. */
  readonly firstSeconds: number;
  readonly flops: number;
  readonly bytes: number;
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Which ceiling is the nearer one: that of arithmetic or that of memory. */
  readonly limit: Limit;
  /** Share of that ceiling. Above 1 only where caches are faster than memory. */
  readonly share: number;
}

export type Limit = "fma" | "copy";

/** The shortest time that the ceilings allow for the work, and which of them says so. */
export function boundOf(
  { flops, bytes }: Pick<BenchCase, "flops" | "bytes">,
  ceilings: Pick<Ceilings, "flopsPerSecond" | "bytesPerSecond">,
): { readonly seconds: number; readonly limit: Limit } {
  const fma = flops / ceilings.flopsPerSecond;
  const copy = bytes / ceilings.bytesPerSecond;
  return fma > copy ? { seconds: fma, limit: "fma" } : { seconds: copy, limit: "copy" };
}

/** So many runs at least and at most; between them, as many as fit into the time. */
export const sampling = { fewest: 3, most: 9, seconds: 0.25 } as const;
/** A timed batch repeats short work until it takes about so long: clocks are coarse. */
const batchSeconds = { timestamp: 2e-4, wall: 2e-3 } as const;
const mostRepeats = 32;
/** Of a timed pass (src/gpu/recorder.ts). */
const mostDispatches = 1024;

export async function measure(gpu: Gpu, benchCase: BenchCase, ceilings: Ceilings): Promise<BenchRow> {
  using _inputs = gpu.scope();
  const record = benchCase.prepare(gpu);
  // Inputs are on the device before the first run is timed.
  await gpu.finish();
  const scoped = (work: () => void) => () => {
    using _outputs = gpu.scope();
    work();
  };
  const once = scoped(record);
  const pipelines = (work: () => void) =>
    gpu.recorder.collect(work).map(({ kernel, variant }) => variantKey(kernel, variant));
  const own = pipelines(once);
  const chosen = record.unforced === undefined || `${own}` === `${pipelines(scoped(record.unforced))}`;
  const dispatches = own.length;
  const time = (work: () => void) => (dispatches > mostDispatches ? clocked(gpu, work) : gpu.time(work));
  const batch = async (repeats: number) => {
    const { seconds, source } = await time(() => {
      for (let i = 0; i < repeats; i++) once();
    });
    return { seconds: seconds / repeats, source };
  };
  const begin = performance.now();
  await batch(1);
  const first = (performance.now() - begin) / 1e3;
  const { seconds: guess, source } = await batch(1);
  const wanted = Math.floor(batchSeconds[source] / Math.max(guess, 1e-9));
  const repeats = Math.max(1, Math.min(wanted, mostRepeats, Math.floor(mostDispatches / dispatches)));
  const times = repeats === 1 ? [guess] : [];
  const from = performance.now();
  const enough = () =>
    times.length >= sampling.most ||
    (times.length >= sampling.fewest && performance.now() - from > sampling.seconds * 1e3);
  while (!enough()) times.push((await batch(repeats)).seconds);
  return rowOf(benchCase, ceilings, { times, source, first, chosen });
}

/** By the host's clock, of an idle device, in as many submits as it takes. */
async function clocked(gpu: Gpu, work: () => void): Promise<Timing> {
  await gpu.finish();
  const begin = performance.now();
  work();
  await gpu.finish();
  return { seconds: (performance.now() - begin) / 1e3, source: "wall" };
}

interface Samples {
  /** Seconds of each run. */
  readonly times: readonly number[];
  readonly source: Timing["source"];
  /** Seconds of the first run, by the host's clock. */
  readonly first: number;
  readonly chosen: boolean;
}

export function rowOf(
  { name, shape, flops, bytes }: Omit<BenchCase, "prepare">,
  ceilings: Pick<Ceilings, "flopsPerSecond" | "bytesPerSecond">,
  { times, source, first, chosen }: Samples,
): BenchRow {
  const seconds = median(times);
  const bound = boundOf({ flops, bytes }, ceilings);
  return {
    name,
    shape,
    chosen,
    seconds,
    low: quantile(times, 0.25),
    high: quantile(times, 0.75),
    runs: times.length,
    source,
    firstSeconds: Math.max(0, first - seconds),
    flops,
    bytes,
    flopsPerSecond: flops / seconds,
    bytesPerSecond: bytes / seconds,
    limit: bound.limit,
    share: bound.seconds / seconds,
  };
}
