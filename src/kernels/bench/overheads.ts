/** @file What there is to pay beside the kernels' work: recording, submitting, waiting, moving data to and from the host. */
import type { Gpu } from "../../gpu/gpu.ts";
import { copy } from "../generated/index.ts";
import { median } from "./statistics.ts";

/** Seconds, medians of several runs. */
export interface Overheads {
  /** One tiny dispatch: record, submit, wait until it is done. */
  readonly submitAndWait: number;
  /** Each further dispatch of the same pass. */
  readonly dispatch: number;
  /** The host's part of that: recording it. */
  readonly record: number;
  /** The host's part where the bind group is a new one. */
  readonly recordNewGroup: number;
  /** Each further submit before one wait. */
  readonly submit: number;
  /** Copying from the device and mapping, once the device is idle. */
  readonly read4KiB: number;
  readonly read1MiB: number;
  readonly read16MiB: number;
  /** Until the device has it. */
  readonly write16MiB: number;
}

const MiB = 2 ** 20;
const count = 100;
const rounds = 9;

export async function measureOverheads(gpu: Gpu): Promise<Overheads> {
  using _scope = gpu.scope();
  const from = gpu.allocate(16 * MiB, "bench from");
  const to = gpu.allocate(16 * MiB, "bench to");
  const tiny = (offset = 0) =>
    gpu.recorder.dispatch(copy, {
      bindings: [
        { buffer: from, offset, size: 256 },
        { buffer: to, size: 256 },
      ],
      params: { count: 1 },
      workgroups: 1,
    });
  const many = (times: number, each: (i: number) => void) => {
    for (let i = 0; i < times; i++) each(i);
  };
  const recordAndWait = (times: number) => async () => {
    many(times, () => tiny());
    await gpu.finish();
  };
  const one = await secondsOf(gpu, recordAndWait(1));
  const all = await secondsOf(gpu, recordAndWait(count + 1));
  const submits = await secondsOf(gpu, async () => {
    many(count, () => {
      tiny();
      gpu.recorder.submit();
    });
    await gpu.finish();
  });
  const record = await secondsOf(gpu, () => many(count, () => tiny()));
  // Each run binds other ranges, so that no bind group is known.
  let fresh = 0;
  const step = Math.max(256, gpu.facts.limits.offsetAlignment);
  const recordNew = await secondsOf(gpu, () => many(count, () => tiny(fresh++ * step)));
  const data = new Uint8Array(16 * MiB);
  return {
    submitAndWait: one,
    dispatch: Math.max(0, all - one) / count,
    record: record / count,
    recordNewGroup: recordNew / count,
    submit: submits / count,
    read4KiB: await secondsOf(gpu, () => gpu.read(from, 0, 4096)),
    read1MiB: await secondsOf(gpu, () => gpu.read(from, 0, MiB)),
    read16MiB: await secondsOf(gpu, () => gpu.read(from, 0, 16 * MiB), 5),
    write16MiB: await secondsOf(
      gpu,
      () => {
        gpu.write(to, 0, data);
        return gpu.finish();
      },
      5,
    ),
  };
}

/** Median of runs that begin with an idle device, after one that isn't counted. */
async function secondsOf(gpu: Gpu, work: () => unknown, times = rounds): Promise<number> {
  const seconds: number[] = [];
  for (let run = -1; run < times; run++) {
    await gpu.finish();
    const begin = performance.now();
    await work();
    if (run >= 0) seconds.push((performance.now() - begin) / 1e3);
  }
  await gpu.finish();
  return median(seconds);
}
