/** @file How long recorded work takes: the device's own timestamps where it has them, else the host's clock. */
import { bufferUsage } from "./buffers.ts";
import type { Recorder } from "./recorder.ts";
import { Staging } from "./staging.ts";

export interface Timing {
  readonly seconds: number;
  readonly source: "timestamp" | "wall";
}

export class Timer {
  #queries: { set: GPUQuerySet; resolved: GPUBuffer; staging: Staging } | undefined;

  constructor(
    readonly device: GPUDevice,
    readonly recorder: Recorder,
    /** How the host waits, without taking a processor from a device that is one. */
    readonly waitFor: <T>(wait: () => Promise<T>) => Promise<T>,
  ) {}

  async time(record: () => void): Promise<Timing> {
    return this.device.features.has("timestamp-query") ? this.#byTimestamps(record) : this.#byClock(record);
  }

  async #byClock(record: () => void): Promise<Timing> {
    const finish = () => this.waitFor(() => this.device.queue.onSubmittedWorkDone());
    this.recorder.submit();
    await finish();
    const begin = performance.now();
    record();
    this.recorder.submit();
    await finish();
    return { seconds: (performance.now() - begin) / 1e3, source: "wall" };
  }

  async #byTimestamps(record: () => void): Promise<Timing> {
    this.#queries ??= {
      set: this.device.createQuerySet({ type: "timestamp", count: 2 }),
      resolved: this.device.createBuffer({ size: 16, usage: bufferUsage.queryResolve | bufferUsage.copySrc }),
      staging: new Staging(this.device),
    };
    const { set, resolved, staging } = this.#queries;
    this.recorder.timestamped(
      { querySet: set, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
      record,
    );
    this.recorder.resolveQueries(set, 2, resolved);
    const target = staging.take(16);
    this.recorder.copyRaw(resolved, target, 16);
    this.recorder.submit();
    const [begin, end] = new BigUint64Array(await this.waitFor(() => staging.map(target, 16)));
    return { seconds: Number((end ?? 0n) - (begin ?? 0n)) / 1e9, source: "timestamp" };
  }
}
