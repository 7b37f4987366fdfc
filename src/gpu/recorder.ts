/**
 * @file Records dispatches into one command encoder and submits them in pieces of bounded work.
 *
 * Params of all dispatches lie in one uniform arena, addressed by dynamic offsets and uploaded once per submit. Bind
 * groups depend only on the layout and the bound ranges, and are cached until a buffer of theirs is destroyed.
 */
import { BindGroups, type Binding } from "./bind-groups.ts";
import { bufferUsage, type GpuBuffer } from "./buffers.ts";
import type { DeviceFacts } from "./facts.ts";
import type { KernelSource, ParamsOf, Variant } from "./kernel-source.ts";
import { type CompiledKernel, type Layout, type PipelineCache, paramsBytes } from "./pipelines.ts";

export type { Binding } from "./bind-groups.ts";

export interface Dispatch<K extends KernelSource> {
  readonly variant?: Variant;
  /** In the order of the kernel's bindings. */
  readonly bindings: readonly Binding[];
  readonly params: ParamsOf<K>;
  /** Workgroups in all; folded into two dimensions where one is too small. None: nothing is recorded. */
  readonly workgroups: number;
  /** Estimated floating-point operations (or bytes moved, where that is more), to bound a submit's duration. */
  readonly work?: number;
}

/** Work per submit: about 100 ms at a rate that slow adapters of the kind reach (operating systems reset busy GPUs). */
const submitWork = { software: 5e8, hardware: 2e10 };
/** An idle device gets its first submit after this share of the work, so that it starts while the rest is recorded. */
const firstShare = 1 / 8;
const slots = 1024;
/** Of kernels that have one pipeline. */
const plain: Variant = {};

export class Recorder {
  /** Counts recordings; a buffer remembers the last one that bound it. */
  recording = 0;
  readonly stats = { dispatches: 0, submits: 0, bindGroupsCreated: 0 };
  readonly #arena: GPUBuffer;
  readonly #params = new ArrayBuffer(slots * paramsBytes);
  readonly #words = new DataView(this.#params);
  readonly #groups = new BindGroups();
  /** Where the next dispatch's Params begin; one array for all. */
  readonly #offset = [0];
  readonly #limit: number;
  #collected: { kernel: KernelSource; variant: Variant }[] | undefined;
  #timed = false;
  /** Nothing has been submitted since the last wait. */
  #idle = true;
  #slot = 0;
  #work = 0;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;

  constructor(
    readonly device: GPUDevice,
    readonly facts: DeviceFacts,
    readonly pipelines: PipelineCache,
  ) {
    this.#limit = facts.software ? submitWork.software : submitWork.hardware;
    this.#arena = device.createBuffer({
      label: "params",
      size: slots * paramsBytes,
      usage: bufferUsage.uniform | bufferUsage.copyDst,
    });
  }

  /** Runs `record` without recording anything; returns the pipelines that it would have used. */
  collect(record: () => void): { kernel: KernelSource; variant: Variant }[] {
    const collected: { kernel: KernelSource; variant: Variant }[] = [];
    this.#collected = collected;
    try {
      record();
    } finally {
      this.#collected = undefined;
    }
    return collected;
  }

  dispatch<K extends KernelSource>(kernel: K, d: Dispatch<K>): void {
    if (d.workgroups === 0) return;
    if (this.#collected !== undefined) {
      this.#collected.push({ kernel, variant: d.variant ?? {} });
      return;
    }
    this.#makeRoom(kernel);
    const compiled = this.pipelines.get(kernel, d.variant ?? plain);
    const group = this.#bindGroup(compiled, d.bindings);
    const pass = this.#openPass();
    pass.setPipeline(compiled.pipeline);
    this.#offset[0] = this.#writeParams(kernel, d.params);
    pass.setBindGroup(0, group, this.#offset);
    const x = Math.min(d.workgroups, this.facts.limits.maxWorkgroups);
    const y = Math.ceil(d.workgroups / x);
    if (y > this.facts.limits.maxWorkgroups)
      throw new Error(`${kernel.name}: ${d.workgroups} workgroups do not fit in two dimensions`);
    pass.dispatchWorkgroups(x, y);
    this.stats.dispatches++;
    this.#work += d.work ?? 0;
  }

  /** Copies bytes on the device, in recorded order. */
  copy(from: GpuBuffer, fromOffset: number, to: GPUBuffer, toOffset: number, bytes: number): void {
    if (this.#collected !== undefined) return;
    if (!from.live) throw new Error(`${from.label} was released before it was copied or read`);
    from.lastRecording = this.recording;
    this.#endPass();
    this.#encode().copyBufferToBuffer(from.raw, fromOffset, to, toOffset, bytes);
  }

  /** The same between two of our buffers; in a rehearsal neither has memory. */
  copyBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, bytes: number): void {
    if (this.#collected !== undefined) return;
    this.copy(from, fromOffset, to.raw, toOffset, bytes);
    to.lastRecording = this.recording;
  }

  /** Sets bytes to zero, in recorded order. */
  clear(buffer: GpuBuffer, offset: number, bytes: number): void {
    if (this.#collected !== undefined) return;
    buffer.lastRecording = this.recording;
    this.#endPass();
    this.#encode().clearBuffer(buffer.raw, offset, bytes);
  }

  /** Whether the open, unsubmitted recording uses the buffer. */
  uses(buffer: GpuBuffer): boolean {
    return this.#encoder !== undefined && buffer.lastRecording === this.recording;
  }

  /** A pass of its own around `record`, with timestamps written at its begin and end. */
  timestamped(timestampWrites: GPUComputePassTimestampWrites, record: () => void): void {
    this.submit();
    this.#pass = this.#encode().beginComputePass({ timestampWrites });
    this.#timed = true;
    try {
      record();
    } finally {
      this.#timed = false;
      this.#endPass();
    }
  }

  resolveQueries(set: GPUQuerySet, count: number, to: GPUBuffer): void {
    this.#endPass();
    this.#encode().resolveQuerySet(set, 0, count, to, 0);
  }

  copyRaw(from: GPUBuffer, to: GPUBuffer, bytes: number): void {
    this.#endPass();
    this.#encode().copyBufferToBuffer(from, 0, to, 0, bytes);
  }

  /** Sends what is recorded to the device. */
  submit(): void {
    if (this.#encoder === undefined) return;
    this.#endPass();
    if (this.#slot > 0)
      this.device.queue.writeBuffer(this.#arena, 0, this.#params, 0, this.#slot * paramsBytes);
    this.device.queue.submit([this.#encoder.finish()]);
    this.#encoder = undefined;
    this.#slot = 0;
    this.#work = 0;
    this.#idle = false;
    this.recording++;
    this.stats.submits++;
  }

  /** The host has waited for everything that was submitted. */
  waited(): void {
    this.#idle = true;
  }

  /** Forgets the bind groups of a buffer that is about to be destroyed. */
  forget(buffer: GpuBuffer): void {
    if (this.uses(buffer)) this.submit();
    this.#groups.forget(buffer);
  }

  destroy(): void {
    this.#arena.destroy();
    this.#groups.clear();
  }

  /** A timed pass stays whole, however long: a submit would end it and leave the rest unmeasured. */
  #makeRoom(kernel: KernelSource): void {
    const full = this.#slot === slots;
    if (this.#timed) {
      if (full) throw new Error(`${kernel.name}: a timed pass holds at most ${slots} dispatches`);
    } else if (full || this.#work > this.#limit * (this.#idle ? firstShare : 1)) this.submit();
  }

  #encode(): GPUCommandEncoder {
    this.#encoder ??= this.device.createCommandEncoder({ label: "step" });
    return this.#encoder;
  }

  #openPass(): GPUComputePassEncoder {
    this.#pass ??= this.#encode().beginComputePass();
    return this.#pass;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }

  #writeParams<K extends KernelSource>(kernel: K, params: ParamsOf<K>): number {
    const offset = this.#slot++ * paramsBytes;
    const values = params as Readonly<Record<string, number>>;
    let at = offset;
    for (const field of kernel.params) {
      const value = values[field.name];
      if (value === undefined) throw new Error(`${kernel.name}: Params.${field.name} is missing`);
      if (field.type === "f32") this.#words.setFloat32(at, value, true);
      else if (field.type === "i32") this.#words.setInt32(at, value, true);
      else this.#words.setUint32(at, value, true);
      at += 4;
    }
    return offset;
  }

  #bindGroup(compiled: CompiledKernel, bindings: readonly Binding[]): GPUBindGroup {
    const { kernel, layout } = compiled;
    if (bindings.length !== kernel.bindings.length) {
      throw new Error(`${kernel.name} takes ${kernel.bindings.length} bindings, not ${bindings.length}`);
    }
    for (const { buffer } of bindings) {
      if (!buffer.live) throw new Error(`${kernel.name}: ${buffer.label} was released before its use`);
      buffer.lastRecording = this.recording;
    }
    const known = this.#groups.find(layout.id, bindings);
    if (known !== undefined) return known;
    const group = this.#createGroup(kernel, layout, bindings);
    this.#groups.add(layout.id, bindings, group);
    return group;
  }

  #createGroup(kernel: KernelSource, layout: Layout, bindings: readonly Binding[]): GPUBindGroup {
    const { maxBinding } = this.facts.limits;
    const entries = bindings.map((b, binding): GPUBindGroupEntry => {
      const offset = b.offset ?? 0;
      const size = Math.min(b.size ?? b.buffer.size - offset, maxBinding);
      return { binding, resource: { buffer: b.buffer.raw, offset, size } };
    });
    bindings.forEach((b, i) => {
      const written = kernel.bindings[i]?.access === "read_write";
      const alias = bindings.find(
        (other, j) =>
          j !== i && other.buffer === b.buffer && (written || kernel.bindings[j]?.access === "read_write"),
      );
      if (alias !== undefined)
        throw new Error(`${kernel.name}: ${b.buffer.label} is bound twice, once for writing`);
    });
    const uniform = { binding: bindings.length, resource: { buffer: this.#arena, size: paramsBytes } };
    this.stats.bindGroupsCreated++;
    return this.device.createBindGroup({
      label: kernel.name,
      layout: layout.group,
      entries: [...entries, uniform],
    });
  }
}
