/** @file Compiled kernels, cached by kernel and variant; explicit layouts shared by kernels of one signature. */
import { ShaderError } from "./errors.ts";
import { assemble, type KernelSource, type Variant, variantKey } from "./kernel-source.ts";
import { PipelineTable } from "./pipeline-table.ts";

/** Kernels with the same accesses share a layout, and so can share bind groups. */
export interface Layout {
  readonly id: number;
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

export interface CompiledKernel {
  readonly kernel: KernelSource;
  readonly key: string;
  readonly layout: Layout;
  readonly pipeline: GPUComputePipeline;
}

/** Bytes of one Params slot in the uniform arena. */
export const paramsBytes = 256;
const shaderStageCompute = 0x4;

export class PipelineCache {
  readonly #layouts = new Map<string, Layout>();
  readonly #ready = new PipelineTable();
  readonly #checks: Promise<void>[] = [];
  readonly #pending = new Map<string, Promise<CompiledKernel>>();

  constructor(readonly device: GPUDevice) {}

  /** Pipelines built so far. */
  get size(): number {
    return this.#ready.size;
  }

  /** The pipeline, built now if it isn't there. Errors surface as ShaderError or at the next synchronisation. */
  get(kernel: KernelSource, variant: Variant): CompiledKernel {
    const ready = this.#ready.find(kernel, variant);
    if (ready !== undefined) return ready;
    const key = variantKey(kernel, variant);
    // Throws for an unknown choice: before the error scope, which would stay open and swallow every later error.
    const source = assemble(kernel, variant);
    this.device.pushErrorScope("validation");
    const { layout, descriptor } = this.#describe(kernel, variant, key, source);
    const compiled = { kernel, key, layout, pipeline: this.device.createComputePipeline(descriptor) };
    const check = this.device.popErrorScope().then(async (error) => {
      if (error !== null) throw await shaderError(key, error.message, descriptor, source);
    });
    check.catch(() => this.#ready.remove(compiled));
    this.#checks.push(check);
    this.#ready.add(kernel, variant, compiled);
    return compiled;
  }

  /**
   * Waits for the verdict on every pipeline that `get` built.
   * @throws ShaderError with the numbered source lines at fault
   */
  async settled(): Promise<void> {
    if (this.#checks.length > 0) await Promise.all(this.#checks.splice(0));
  }

  /**
   * Builds pipelines ahead of their first use, in parallel.
   * @throws ShaderError with the numbered source lines at fault
   */
  async warm(list: readonly { readonly kernel: KernelSource; readonly variant: Variant }[]): Promise<void> {
    await Promise.all(list.map(({ kernel, variant }) => this.compile(kernel, variant)));
  }

  async compile(kernel: KernelSource, variant: Variant): Promise<CompiledKernel> {
    const known = this.#ready.find(kernel, variant);
    if (known !== undefined) return known;
    const key = variantKey(kernel, variant);
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    const building = this.#build(kernel, variant, key).finally(() => this.#pending.delete(key));
    this.#pending.set(key, building);
    return building;
  }

  async #build(kernel: KernelSource, variant: Variant, key: string): Promise<CompiledKernel> {
    const source = assemble(kernel, variant);
    this.device.pushErrorScope("validation");
    const { layout, descriptor } = this.#describe(kernel, variant, key, source);
    const described = this.device.popErrorScope();
    try {
      const compiled = {
        kernel,
        key,
        layout,
        pipeline: await this.device.createComputePipelineAsync(descriptor),
      };
      this.#ready.add(kernel, variant, compiled);
      return compiled;
    } catch (error) {
      const reason = (await described)?.message ?? (error instanceof Error ? error.message : String(error));
      throw await shaderError(key, reason, descriptor, source);
    }
  }

  #describe(kernel: KernelSource, variant: Variant, key: string, source: string) {
    const layout = this.#layout(kernel);
    const module = this.device.createShaderModule({ label: key, code: source });
    const descriptor = {
      label: key,
      layout: layout.pipeline,
      compute: { module, entryPoint: "main", constants: { ...variant.overrides } },
    } satisfies GPUComputePipelineDescriptor;
    return { layout, descriptor };
  }

  #layout(kernel: KernelSource): Layout {
    const signature = kernel.bindings.map((b) => (b.access === "read" ? "r" : "w")).join("");
    const known = this.#layouts.get(signature);
    if (known !== undefined) return known;
    const storage = kernel.bindings.map((b, binding): GPUBindGroupLayoutEntry => {
      const type = b.access === "read" ? "read-only-storage" : "storage";
      return { binding, visibility: shaderStageCompute, buffer: { type } };
    });
    const uniform: GPUBindGroupLayoutEntry = {
      binding: kernel.bindings.length,
      visibility: shaderStageCompute,
      buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize: paramsBytes },
    };
    const group = this.device.createBindGroupLayout({ label: signature, entries: [...storage, uniform] });
    const pipeline = this.device.createPipelineLayout({ label: signature, bindGroupLayouts: [group] });
    const layout = { id: this.#layouts.size, group, pipeline };
    this.#layouts.set(signature, layout);
    return layout;
  }
}

async function shaderError(
  key: string,
  reason: string,
  descriptor: GPUComputePipelineDescriptor,
  source: string,
) {
  const { messages } = await descriptor.compute.module.getCompilationInfo();
  const lines = source.split("\n");
  const where = messages.map(
    (m) => `${m.type} in line ${m.lineNum}: ${m.message}\n  ${lines[m.lineNum - 1] ?? ""}`,
  );
  return new ShaderError([`Kernel ${key} does not compile: ${reason}`, ...where].join("\n"));
}
