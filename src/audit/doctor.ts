/**
 * @file Whether this adapter can be trusted, and how fast it is: a matrix product against float64, and the engine's two
 * promises (equal bits whatever the variant, equal bits whatever the batch), since drivers may contract or reassociate.
 */

import { RmtrainError } from "../errors.ts";
import type { Limits } from "../gpu/facts.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { matrixShape } from "../gpu/precision.ts";
import { type Ceilings, measureCeilings } from "../kernels/ceilings.ts";
import { openGpu } from "../kernels/open.ts";
import { variantRegistry } from "../kernels/variant-registry.ts";
import { runnableVariants } from "../kernels/variants.ts";
import { type Check, checkAttention, checkLinear, checkVariants } from "./doctor-checks.ts";

export interface Diagnosis {
  readonly adapter: {
    readonly vendor: string;
    readonly architecture: string;
    readonly device: string;
    readonly description: string;
    readonly software: boolean;
  };
  readonly features: readonly string[];
  readonly subgroups: { readonly min: number; readonly max: number };
  readonly limits: Limits;
  readonly variants: {
    /** What names them in run.json: "default", or a table's hash and what is forced. */
    readonly inUse: string;
    /** Where the table of measured choices comes from. */
    readonly table: string;
    /** The variants that this adapter can run, by operation, the baseline first. */
    readonly runnable: Readonly<Record<string, readonly string[]>>;
  };
  /** The precision class f16: its matrix units, which were checked, or why it can't be used. */
  readonly f16: { readonly usable: boolean; readonly detail: string };
  readonly checks: readonly Check[];
  readonly ceilings: Ceilings;
  /** What would help, in sentences. */
  readonly advice: readonly string[];
}

export async function diagnose(gpu: Gpu): Promise<Diagnosis> {
  const { vendor, architecture, device, description, software, features, limits } = gpu.facts;
  return {
    adapter: { vendor, architecture, device, description, software },
    features: [...features].sort(),
    subgroups: { min: gpu.facts.subgroupMin, max: gpu.facts.subgroupMax },
    limits,
    variants: {
      inUse: gpu.variants.inUse,
      table: gpu.variants.tuned?.origin ?? "none",
      runnable: Object.fromEntries(variantRegistry.map((of) => [of.operation, runnableVariants(gpu, of)])),
    },
    f16: await matrixUnits(),
    checks: [...(await checkLinear(gpu)), ...(await checkVariants(gpu)), await checkAttention(gpu)],
    ceilings: await measureCeilings(gpu),
    advice: advice(gpu),
  };
}

/** Opens the device once more, for the class f16: matrix units are hidden from others. */
async function matrixUnits(): Promise<Diagnosis["f16"]> {
  try {
    using gpu = await openGpu({ precision: "f16", tuning: "none" });
    return { usable: true, detail: `matrix units ${matrixShape(gpu.facts.matrices)}, checked` };
  } catch (error) {
    if (!(error instanceof RmtrainError)) throw error;
    return { usable: false, detail: error.message };
  }
}

function advice({ facts }: Gpu): string[] {
  const lines: string[] = [];
  if (facts.software) {
    lines.push(
      "This adapter is a CPU. If the machine has a GPU, install its vendor's Vulkan driver; it comes first then.",
    );
  }
  if (!facts.features.has("subgroups"))
    lines.push("Without subgroups the portable kernels run; a newer driver may offer them.");
  if (!facts.features.has("timestamp-query"))
    lines.push("Without timestamp queries, bench measures by the host's clock.");
  if (facts.limits.maxBinding < 2 ** 27)
    lines.push("Bindings below 128 MiB: large weights are bound in windows.");
  return lines;
}
