/**
 * @file Buffers with an owner, a pool that hands them out again, and the accounting of both.
 *
 * Released buffers may be reused by later dispatches of the same recording, since those run in order. Only the host
 * is out of order: a host write to a buffer that the open recording uses forces that recording out first.
 */
import type { CachedGroup } from "./bind-groups.ts";
import { formatBytes, OutOfMemoryError } from "./errors.ts";
import type { Limits } from "./facts.ts";
import { Rehearsal, type RehearsedMemory } from "./rehearsal.ts";

/** A WebGPU buffer and its place in the pool. `uses` counts its owners; at 0 it lies in the pool. */
export class GpuBuffer {
  /** Number of the recording that last bound it; see Recorder. */
  lastRecording = -1;
  /** Cached bind groups that hold it. */
  readonly bindGroups = new Set<CachedGroup>();
  live = true;

  readonly #raw: GPUBuffer | undefined;

  constructor(
    readonly id: number,
    raw: GPUBuffer | undefined,
    /** Bytes of the buffer, at least what was asked for. */
    readonly size: number,
    public label: string,
  ) {
    this.#raw = raw;
  }

  /** Whether it was handed out in a rehearsal: it has a size and an owner, and no memory. */
  get rehearsed(): boolean {
    return this.#raw === undefined;
  }

  get raw(): GPUBuffer {
    if (this.#raw === undefined)
      throw new Error(`${this.label} was allocated in a rehearsal, and has no memory`);
    return this.#raw;
  }
}

export interface MemoryCounts {
  /** Bytes of buffers in use. */
  live: number;
  /** Bytes of buffers that wait in the pool. */
  pooled: number;
  /** Largest `live` so far. */
  peak: number;
  /** Largest `live` and `pooled` together so far: what the driver has given out. */
  peakHeld: number;
  /** WebGPU buffers created so far. */
  buffersCreated: number;
}

/** Sizes step by an eighth of their power of two, so that near sizes share buffers and at most 12.5 % is unused. */
export function sizeClass(bytes: number): number {
  const least = 256;
  if (bytes <= least) return least;
  const step = Math.max(least, 2 ** (Math.ceil(Math.log2(bytes)) - 4));
  return Math.ceil(bytes / step) * step;
}

/** The values of GPUBufferUsage, which is a global in browsers only. */
export const bufferUsage = {
  mapRead: 0x1,
  copySrc: 0x4,
  copyDst: 0x8,
  uniform: 0x40,
  storage: 0x80,
  queryResolve: 0x200,
};
const usage = bufferUsage.storage | bufferUsage.copySrc | bufferUsage.copyDst;

/** The free buffer that was created first: the same requests then get the same buffers in every step. */
function takeOldest(free: GpuBuffer[] | undefined): GpuBuffer | undefined {
  if (free === undefined || free.length === 0) return undefined;
  const oldest = free.reduce((best, buffer, i) => (buffer.id < free[best]!.id ? i : best), 0);
  return free.splice(oldest, 1)[0];
}

export class BufferPool {
  readonly counts: MemoryCounts = { live: 0, pooled: 0, peak: 0, peakHeld: 0, buffersCreated: 0 };
  readonly #free = new Map<number, GpuBuffer[]>();
  #nextId = 0;
  #rehearsal: Rehearsal | undefined;

  constructor(
    readonly device: GPUDevice,
    readonly limits: Limits,
    /** Bytes that live and pooled buffers may take together. */
    readonly budget: number,
    /** Called before a buffer is destroyed: submits what still refers to it and drops its bind groups. */
    readonly beforeDestroy: (buffer: GpuBuffer) => void,
  ) {}

  /** @throws OutOfMemoryError naming `label` */
  allocate(bytes: number, label: string): GpuBuffer {
    // At least the size of one vec4, since a binding may not be empty.
    const size = sizeClass(Math.max(bytes, 16));
    if (size > this.limits.maxBuffer) {
      throw new OutOfMemoryError(
        `${label} needs one buffer of ${formatBytes(size)}; this device's largest is ${formatBytes(this.limits.maxBuffer)}. ` +
          "If it grows with the batch, lower --max-length or --batch-tokens.",
      );
    }
    if (this.#rehearsal !== undefined) {
      this.#rehearsal.allocate(size);
      return new GpuBuffer(-1, undefined, size, label);
    }
    const buffer = takeOldest(this.#free.get(size)) ?? this.#create(size, label);
    if (buffer.live) throw new Error(`Buffer ${buffer.label} was handed out twice`);
    buffer.live = true;
    // The device's messages name the buffer by its present owner.
    if (buffer.label !== label) buffer.raw.label = label;
    buffer.label = label;
    this.counts.pooled -= size;
    this.counts.live += size;
    this.counts.peak = Math.max(this.counts.peak, this.counts.live);
    return buffer;
  }

  release(buffer: GpuBuffer): void {
    if (!buffer.live) throw new Error(`Buffer ${buffer.label} was released twice`);
    if (buffer.rehearsed !== (this.#rehearsal !== undefined))
      throw new Error(`${buffer.label} does not belong to the rehearsal in which it is released, or to none`);
    buffer.live = false;
    if (this.#rehearsal !== undefined) {
      this.#rehearsal.release(buffer.size);
      return;
    }
    this.counts.live -= buffer.size;
    this.counts.pooled += buffer.size;
    const free = this.#free.get(buffer.size);
    if (free === undefined) this.#free.set(buffer.size, [buffer]);
    else free.push(buffer);
  }

  /** Runs `use`, whose allocations and releases are counted and nothing else: no buffer is created, taken or given back. */
  rehearse(use: () => void): RehearsedMemory {
    if (this.#rehearsal !== undefined) throw new Error("A rehearsal does not hold another one");
    const rehearsal = new Rehearsal();
    this.#rehearsal = rehearsal;
    try {
      use();
    } finally {
      this.#rehearsal = undefined;
    }
    if (rehearsal.live !== 0)
      throw new Error(`A rehearsal must release what it allocates; ${formatBytes(rehearsal.live)} are left`);
    const { live } = this.counts;
    return { peak: live + rehearsal.peak, held: live + rehearsal.held };
  }

  /** Whether a rehearsal is under way. */
  get rehearsing(): boolean {
    return this.#rehearsal !== undefined;
  }

  /** Gives pooled buffers back to the driver until at most `pooled` bytes remain. */
  trim(pooled = 0): void {
    for (const [size, free] of this.#free) {
      while (this.counts.pooled > pooled) {
        const buffer = free.pop();
        if (buffer === undefined) break;
        this.beforeDestroy(buffer);
        buffer.raw.destroy();
        this.counts.pooled -= size;
      }
    }
  }

  #create(size: number, label: string): GpuBuffer {
    const { live, pooled } = this.counts;
    if (live + pooled + size > this.budget) this.trim(Math.max(0, this.budget - live - size));
    if (live + size > this.budget) {
      throw new OutOfMemoryError(
        `${label} needs ${formatBytes(size)}; ${formatBytes(live)} of the budget of ${formatBytes(this.budget)} are in use. ` +
          "Raise --memory-budget if the device has more, or lower --max-length or --batch-tokens.",
      );
    }
    const raw = this.device.createBuffer({ label, size, usage });
    this.counts.buffersCreated++;
    this.counts.pooled += size;
    this.counts.peakHeld = Math.max(this.counts.peakHeld, this.counts.live + this.counts.pooled);
    const buffer = new GpuBuffer(this.#nextId++, raw, size, label);
    buffer.live = false;
    return buffer;
  }
}
