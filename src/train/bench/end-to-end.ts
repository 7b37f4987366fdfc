/**
 * @file What training or scoring costs from end to end: steps (or passes) of a made-up model, beside the device's
 * ceiling, the memory that was foretold, and the host's own time.
 */
import type { Gpu } from "../../gpu/gpu.ts";
import { measureCeilings } from "../../kernels/ceilings.ts";
import type { ModelShape } from "../../model/synthetic.ts";
import { type Growth, measureGrowth } from "./growth.ts";

export interface RunShape extends ModelShape {
  /** Tokens of a sequence. */
  readonly length: number;
  /** Pairs of a step or of a pass, two sequences each. */
  readonly batch: number;
}

/** Something that is done again and again, and is ready to be. */
export interface RepeatedRun extends Disposable {
  /** Computed each time. */
  readonly tokens: number;
  /** Floating-point operations each time (work.ts). */
  readonly work: number;
  /** Bytes on the device at the highest, as foretold. */
  readonly predictedBytes: number;
  /** Does it so many times, to the end; what it says is of one time. */
  repeat(count: number): Promise<RunTimes>;
}

export interface RunTimes {
  readonly seconds: number;
  /** Of the host's thread, for recording. */
  readonly hostSeconds: number;
  /** Whether that is the thread's own time on a processor, and not the time of day. */
  readonly hostTimeIsOwn: boolean;
}

/** In the steady state, where nothing else is said. */
export interface RunResult extends RunTimes {
  readonly shape: RunShape;
  readonly tokens: number;
  readonly tokensPerSecond: number;
  /** Of the products that can't be done without. */
  readonly flopsPerSecond: number;
  /** What the device reaches with chains of fma in registers; and the share of it. */
  readonly ceiling: number;
  readonly share: number;
  /** The host's time as a share of all. */
  readonly hostShare: number;
  readonly dispatches: number;
  readonly submits: number;
  /** Buffers and bind groups made; none if all is well. */
  readonly made: number;
  readonly predictedBytes: number;
  readonly peakBytes: number;
  readonly first: FirstSeconds;
  readonly growth: readonly Growth[];
}

/** Seconds from nothing to the end of the first step or pass. */
export interface FirstSeconds {
  readonly device: number;
  /** Weights uploaded, pipelines built. */
  readonly model: number;
  readonly run: number;
}

export interface BenchControl {
  /** Whether smaller shapes are measured too. */
  readonly growth: boolean;
  /** Seconds that opening the device took. */
  readonly opened: number;
  readonly note: (text: string) => void;
}

/** Of each shape; the first run of each is not counted. */
const timed = 3;

export async function benchRun(
  gpu: Gpu,
  shape: RunShape,
  open: (shape: RunShape) => Promise<RepeatedRun>,
  { growth, opened, note }: BenchControl,
): Promise<RunResult> {
  const { model, run, ...steady } = await measure(gpu, () => open(shape), note);
  const { flopsPerSecond: ceiling } = await measureCeilings(gpu);
  const smaller = async (of: RunShape) => {
    note(`${of.layers} layers, ${of.batch} x 2 x ${of.length} tokens, vocabulary ${of.vocabulary}`);
    using again = await open(of);
    await again.repeat(1);
    return (await again.repeat(timed)).seconds;
  };
  const rows = growth ? await measureGrowth(shape, steady.seconds, smaller) : [];
  const first = { device: opened, model, run };
  return { shape, ...steady, first, ceiling, share: steady.flopsPerSecond / ceiling, growth: rows };
}

async function measure(gpu: Gpu, open: () => Promise<RepeatedRun>, note: BenchControl["note"]) {
  const began = performance.now();
  using repeated = await open();
  const model = (performance.now() - began) / 1e3;
  const { seconds: run } = await repeated.repeat(1);
  note(`the first took ${run.toFixed(2)} s; ${timed} more`);
  const { stats } = gpu.recorder;
  const made = () => stats.bindGroupsCreated + gpu.memory.buffersCreated;
  const before = { ...stats, made: made() };
  const times = await repeated.repeat(timed);
  const { tokens, work, predictedBytes } = repeated;
  return {
    tokens,
    ...times,
    tokensPerSecond: tokens / times.seconds,
    flopsPerSecond: work / times.seconds,
    hostShare: times.hostSeconds / times.seconds,
    dispatches: Math.round((stats.dispatches - before.dispatches) / timed),
    submits: Math.round((stats.submits - before.submits) / timed),
    made: made() - before.made,
    predictedBytes,
    peakBytes: gpu.memory.peakHeld,
    model,
    run,
  };
}
