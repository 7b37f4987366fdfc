/** @file What the host knows of an embedded WGSL kernel (written by scripts/embed-wgsl.mjs). */

export interface KernelSource {
  readonly name: string;
  /** WGSL without its `enable` lines and without the chosen headers. One entry point, `main`. */
  readonly source: string;
  /** WGSL features the kernel needs, such as "subgroups". */
  readonly enables: readonly string[];
  /** Interchangeable preludes: header -> choice -> WGSL. A pipeline takes one choice of each. */
  readonly headers: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Storage bindings 0.. in order; Params is the uniform after them. */
  readonly bindings: readonly { readonly name: string; readonly access: "read" | "read_write" }[];
  /** Fields of Params, 4 bytes each, in order. */
  readonly params: readonly { readonly name: string; readonly type: "u32" | "i32" | "f32" }[];
  readonly overrides: readonly string[];
}

/** The values of a kernel's Params, every field by name. */
export type ParamsOf<K extends KernelSource> = { readonly [N in K["params"][number]["name"]]: number };

/** Which pipeline of a kernel: a choice for each header, values for overrides. */
export interface Variant {
  readonly headers?: Readonly<Record<string, string>>;
  readonly overrides?: Readonly<Record<string, number>>;
}

/** One pipeline, for lists of those to build. */
export interface KernelVariant {
  readonly kernel: KernelSource;
  readonly variant: Variant;
}

/** A name that is the same for equal pipelines and different for different ones. */
export function variantKey(kernel: KernelSource, variant: Variant): string {
  const headers = Object.keys(kernel.headers).map((h) => `${h}=${variant.headers?.[h]}`);
  const overrides = kernel.overrides
    .filter((o) => variant.overrides?.[o] !== undefined)
    .map((o) => `${o}=${variant.overrides?.[o]}`);
  return [kernel.name, ...headers, ...overrides].join(" ");
}

/** The complete WGSL text of a variant. */
export function assemble(kernel: KernelSource, variant: Variant): string {
  const chosen = Object.entries(kernel.headers).map(([header, choices]) => {
    const choice = variant.headers?.[header];
    const text = choice === undefined ? undefined : choices[choice];
    if (text === undefined) {
      throw new Error(
        `${kernel.name}: header "${header}" takes ${Object.keys(choices).join(" | ")}, not ${choice}`,
      );
    }
    return text;
  });
  return [...kernel.enables.map((e) => `enable ${e};`), ...chosen, kernel.source].join("\n");
}
