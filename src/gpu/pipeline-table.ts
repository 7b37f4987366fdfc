/** @file The pipelines that are built, found by kernel and choice without making an object or a string. */
import type { KernelSource, Variant } from "./kernel-source.ts";
import type { CompiledKernel } from "./pipelines.ts";

/** A kernel's pipelines: of each, what was chosen for the kernel's headers and then for its overrides. */
interface KernelPipelines {
  readonly headers: readonly string[];
  readonly entries: { readonly chosen: readonly unknown[]; readonly compiled: CompiledKernel }[];
}

export class PipelineTable {
  readonly #kernels = new Map<KernelSource, KernelPipelines>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  find(kernel: KernelSource, variant: Variant): CompiledKernel | undefined {
    const known = this.#kernels.get(kernel);
    if (known === undefined) return undefined;
    for (const { chosen, compiled } of known.entries)
      if (isChosen(chosen, known.headers, kernel.overrides, variant)) return compiled;
    return undefined;
  }

  add(kernel: KernelSource, variant: Variant, compiled: CompiledKernel): void {
    const known = this.#kernels.get(kernel) ?? { headers: Object.keys(kernel.headers), entries: [] };
    this.#kernels.set(kernel, known);
    const headers = known.headers.map((name) => variant.headers?.[name]);
    const overrides = kernel.overrides.map((name) => variant.overrides?.[name]);
    known.entries.push({ chosen: [...headers, ...overrides], compiled });
    this.#size++;
  }

  remove(compiled: CompiledKernel): void {
    const entries = this.#kernels.get(compiled.kernel)?.entries;
    const at = entries?.findIndex((entry) => entry.compiled === compiled) ?? -1;
    if (at < 0) return;
    entries?.splice(at, 1);
    this.#size--;
  }
}

function isChosen(
  chosen: readonly unknown[],
  headers: readonly string[],
  overrides: readonly string[],
  variant: Variant,
): boolean {
  let i = 0;
  for (const name of headers) if (variant.headers?.[name] !== chosen[i++]) return false;
  for (const name of overrides) if (variant.overrides?.[name] !== chosen[i++]) return false;
  return true;
}
