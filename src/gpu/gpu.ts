/**
 * @file The opened device: buffers with owners, recorded dispatches, reads, errors. Knows no tensors.
 *
 * Nothing above src/gpu knows whether it runs on Dawn in Node or in a browser.
 */
import { type AdapterRequest, deviceDescriptor, requestAdapter } from "./adapter.ts";
import { BufferPool, type GpuBuffer, type MemoryCounts } from "./buffers.ts";
import { DeviceLostError, ShaderError, typedError } from "./errors.ts";
import { type DeviceFacts, deviceFacts, type Limits } from "./facts.ts";
import type { KernelVariant } from "./kernel-source.ts";
import { canNap, naps } from "./naps.ts";
import { PipelineCache } from "./pipelines.ts";
import { checkMatrixUnits, type Precision } from "./precision.ts";
import { Recorder } from "./recorder.ts";
import type { RehearsedMemory } from "./rehearsal.ts";
import { Scope } from "./scope.ts";
import { Staging } from "./staging.ts";
import { Timer, type Timing } from "./timer.ts";
import { VariantChoices, variantsFromEnvironment } from "./variants.ts";

export interface OpenOptions extends AdapterRequest {
  /** Bytes that all buffers together may take. Default: 4 GiB. */
  readonly memoryBudget?: number;
  /** Features to leave out although the adapter has them, to run the portable variants. */
  readonly exclude?: readonly string[];
  /** Smaller limits than the device's, so that tests reach windowed and folded paths with small data. */
  readonly limits?: Partial<Limits>;
  /** Forces variants of operations, by name: { linear: "tile" }. Default: what RMTRAIN_VARIANTS says. */
  readonly variants?: Readonly<Record<string, string>>;
}

export const defaultMemoryBudget = 4 * 2 ** 30;

/**
 * Opens the platform's WebGPU device with its full limits.
 * @throws NoAdapterError with what to do about it; PrecisionError where it has no matrix units for f16; InputError where RMTRAIN_VARIANTS can't be read
 */
export async function openGpu(options: OpenOptions = {}): Promise<Gpu> {
  const { variants, precision = "f32" } = options;
  const forced = variants === undefined ? variantsFromEnvironment() : new Map(Object.entries(variants));
  const adapter = await requestAdapter(options);
  const device = await adapter.requestDevice(deviceDescriptor(adapter, options.exclude));
  const facts = deviceFacts(device, adapter.info, options.limits, precision);
  if (precision === "f16") checkUnits(device, facts);
  return new Gpu(device, facts, options.memoryBudget ?? defaultMemoryBudget, new VariantChoices(forced));
}

/** A device that lacks matrix units is not left open. */
function checkUnits(device: GPUDevice, facts: DeviceFacts): void {
  try {
    checkMatrixUnits(facts);
  } catch (error) {
    device.destroy();
    throw error;
  }
}

export class Gpu implements Disposable {
  readonly pipelines: PipelineCache;
  readonly recorder: Recorder;
  readonly #pool: BufferPool;
  readonly #staging: Staging;
  readonly #timer: Timer;
  readonly #scopes: Scope[] = [];
  #failure: Error | undefined;
  #closed = false;

  constructor(
    readonly device: GPUDevice,
    readonly facts: DeviceFacts,
    readonly memoryBudget: number,
    readonly variants = new VariantChoices(),
  ) {
    this.pipelines = new PipelineCache(device);
    this.recorder = new Recorder(device, facts, this.pipelines);
    this.#pool = new BufferPool(device, facts.limits, memoryBudget, (buffer) => this.recorder.forget(buffer));
    this.#staging = new Staging(device);
    this.#timer = new Timer(device, this.recorder, (wait) => this.#waitFor(wait));
    device.addEventListener("uncapturederror", (event) => {
      this.#failure ??= typedError(event.error);
    });
    void device.lost.then(({ reason, message }) => {
      if (!this.#closed)
        this.#failure = new DeviceLostError(`The GPU device was lost (${reason}): ${message}`);
    });
  }

  /** The class of the products of linear layers (docs/precision.md). */
  get precision(): Precision {
    return this.facts.precision;
  }

  get memory(): Readonly<MemoryCounts> {
    return this.#pool.counts;
  }

  /** Starts counting the peaks anew. */
  resetPeak(): void {
    const { counts } = this.#pool;
    counts.peak = counts.live;
    counts.peakHeld = counts.live + counts.pooled;
  }

  /** Buffers allocated until the scope's end belong to it, unless they are kept. */
  scope(): Scope {
    const scope = new Scope(this.#pool, (ended) => {
      if (this.#scopes.at(-1) !== ended)
        throw new Error("GPU scopes end once, in the reverse order of their beginnings");
      this.#scopes.pop();
    });
    this.#scopes.push(scope);
    return scope;
  }

  /**
   * A buffer of at least `bytes`, contents unspecified; owned by the innermost scope, else by the caller.
   * @throws OutOfMemoryError naming `label`
   */
  allocate(bytes: number, label: string): GpuBuffer {
    const buffer = this.#pool.allocate(bytes, label);
    this.#scopes.at(-1)?.own(buffer);
    return buffer;
  }

  /** A buffer that outlives every scope; its owner releases it. */
  allocatePersistent(bytes: number, label: string): GpuBuffer {
    if (this.#pool.rehearsing)
      throw new Error(`${label} outlives every scope, so it must exist before the rehearsal`);
    return this.#pool.allocate(bytes, label);
  }

  release(buffer: GpuBuffer): void {
    this.#pool.release(buffer);
  }

  /** Gives unused buffers back to the driver. */
  trim(): void {
    this.#pool.trim();
  }

  /** Host bytes (a multiple of 4) to the device, ordered after everything recorded that uses the buffer. */
  write(buffer: GpuBuffer, offset: number, data: ArrayBufferView): void {
    if (!buffer.live) throw new Error(`${buffer.label} was released before it was written`);
    if (this.#pool.rehearsing) return;
    if (this.recorder.uses(buffer)) this.recorder.submit();
    this.device.queue.writeBuffer(buffer.raw, offset, data.buffer, data.byteOffset, data.byteLength);
  }

  /**
   * Submits, waits and copies bytes (a multiple of 4) to the host.
   * @throws whatever error the device reported since the last wait
   */
  async read(buffer: GpuBuffer, offset: number, bytes: number): Promise<ArrayBuffer> {
    if (this.#pool.rehearsing) throw new Error(`${buffer.label} cannot be read in a rehearsal`);
    const staging = this.#staging.take(bytes);
    this.recorder.copy(buffer, offset, staging, 0, bytes);
    this.recorder.submit();
    return this.#guard(this.#waitFor(() => this.#staging.map(staging, bytes)));
  }

  /** Submits and waits until the device has done everything. */
  async finish(): Promise<void> {
    this.recorder.submit();
    await this.#guard(this.#waitFor(() => this.device.queue.onSubmittedWorkDone()));
  }

  /**
   * Builds, in parallel, every pipeline that `record` would dispatch; nothing is run. Buffers it allocates are released.
   * @throws ShaderError naming the kernel and the line
   */
  async warm(record: () => void): Promise<void> {
    await this.build(
      this.recorder.collect(() => {
        using _scope = this.scope();
        record();
      }),
    );
  }

  /**
   * Builds these pipelines in parallel, as far as WebGPU does; see warm-up.ts for what drivers leave undone.
   * @throws ShaderError naming the kernel and the line
   */
  async build(pipelines: readonly KernelVariant[]): Promise<void> {
    await this.#guard(this.pipelines.warm(pipelines));
  }

  /**
   * How much memory `record` takes, without taking any: nothing is recorded or written, and no buffer is created. What
   * it allocates must be released in it or belong to scopes; persistent buffers must exist before. A function of the
   * work and of what is in use, not of what the pool happens to hold.
   * @returns pipelines: what `record` dispatches; peak: what `memory.live` would reach; held: what `live` and `pooled` would together, with a pool that is empty
   * before
   * @throws OutOfMemoryError where a single buffer would be larger than the device's largest
   */
  rehearse(record: () => void): RehearsedMemory & { readonly pipelines: readonly KernelVariant[] } {
    let pipelines: readonly KernelVariant[] = [];
    const memory = this.#pool.rehearse(() => {
      pipelines = this.recorder.collect(() => {
        using _scope = this.scope();
        record();
      });
    });
    return { ...memory, pipelines };
  }

  /** Runs `record` in a pass of its own and measures it. */
  async time(record: () => void): Promise<Timing> {
    return this.#guard(this.#timer.time(record));
  }

  /** Destroys the device and all buffers; whoever still waits for it gets a DeviceLostError. Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#failure = new DeviceLostError("The GPU device was closed");
    this.recorder.destroy();
    this.device.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #waitFor<T>(wait: () => Promise<T>): Promise<T> {
    return this.facts.software && canNap ? naps.around(wait) : wait();
  }

  /** An error that the device reported belongs to the work that was waited for. */
  async #guard<T>(work: Promise<T>): Promise<T> {
    let result: T;
    try {
      result = await work;
      this.recorder.waited();
      await this.pipelines.settled();
    } catch (error) {
      const lost = this.#failure instanceof DeviceLostError;
      const failure = error instanceof ShaderError && !lost ? error : (this.#failure ?? error);
      if (!(failure instanceof DeviceLostError)) this.#failure = undefined;
      throw failure;
    }
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      // A lost device stays lost; a refused command concerns only the work before this point.
      if (!(failure instanceof DeviceLostError)) this.#failure = undefined;
      throw failure;
    }
    return result;
  }
}
