/**
 * @file The precision class that a device is opened for, and which of its matrix units (WebGPU's experimental subgroup
 * matrices) the class f16 runs on. docs/precision.md says what the classes compute.
 */
import { RmtrainError } from "../errors.ts";

/**
 * f32: all products in f32. f16: the factors of linear layers rounded to f16 and multiplied by the device's matrix units,
 * sums in f32. f16-emulated: the same rounding in plain arithmetic, on any device.
 */
export const precisions = ["f32", "f16", "f16-emulated"] as const;
export type Precision = (typeof precisions)[number];

/** A product of matrices that the device offers: M x K by K x N. */
export interface MatrixConfig {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  /** Of the factors: "f16", "f32", "i8", ... */
  readonly component: string;
  /** Of the sums. */
  readonly result: string;
}

/** The feature of WebGPU that matrix units need. */
export const matrixFeature = "chromium-experimental-subgroup-matrix";

/** Shapes that there are kernels for, the ones with most work for a load first. */
export const matrixShapes = ["16x16x16", "16x8x16", "8x16x16", "8x8x8"] as const;
export type MatrixShape = (typeof matrixShapes)[number];

/** The device can't compute in the precision class that was asked for. */
export class PrecisionError extends RmtrainError {
  override name = "PrecisionError";
}

/** What the adapter offers. @types/webgpu does not know the list: the feature is experimental. */
export function matrixConfigs(info: GPUAdapterInfo): MatrixConfig[] {
  const { subgroupMatrixConfigs = [] } = info as {
    subgroupMatrixConfigs?: Iterable<{
      M: number;
      N: number;
      K: number;
      componentType: string;
      resultComponentType: string;
    }>;
  };
  return [...subgroupMatrixConfigs].map(({ M, N, K, componentType, resultComponentType }) => ({
    M,
    N,
    K,
    component: componentType,
    result: resultComponentType,
  }));
}

/** The shape that the class f16 uses: f16 factors with f32 sums. Undefined where the device has none of ours. */
export function matrixShape(configs: readonly MatrixConfig[]): MatrixShape | undefined {
  const fitting = configs.filter(({ component, result }) => component === "f16" && result === "f32");
  return matrixShapes.find((shape) => fitting.some(({ M, N, K }) => shape === `${M}x${N}x${K}`));
}

/**
 * @param facts of the device; `matrices` are the adapter's
 * @throws PrecisionError saying what is missing and what to do
 */
export function checkMatrixUnits(facts: {
  readonly features: ReadonlySet<string>;
  readonly matrices: readonly MatrixConfig[];
  readonly subgroupMax: number;
  readonly limits: { readonly maxInvocations: number };
}): void {
  const instead =
    "Use --precision f32; or f16-emulated, the same rounding in plain arithmetic, which is no faster than f32.";
  const missing = [matrixFeature, "subgroups", "shader-f16"].filter((name) => !facts.features.has(name));
  if (missing.length > 0)
    throw new PrecisionError(
      `--precision f16 needs a GPU with matrix units; this adapter lacks ${missing.join(", ")}. ${instead}`,
    );
  if (matrixShape(facts.matrices) === undefined) {
    const offered = facts.matrices.map(
      ({ M, N, K, component, result }) => `${M}x${N}x${K} ${component} with ${result} sums`,
    );
    throw new PrecisionError(
      `--precision f16 needs matrix units with f16 factors and f32 sums, of ${matrixShapes.join(", ")}; ` +
        `this adapter offers ${offered.join("; ") || "none"}. ${instead}`,
    );
  }
  if (facts.subgroupMax < 32 || 8 * facts.subgroupMax > facts.limits.maxInvocations)
    throw new PrecisionError(
      `--precision f16 needs subgroups of 32 lanes or more and workgroups of eight of them; this adapter's have up to ` +
        `${facts.subgroupMax} lanes, its workgroups ${facts.limits.maxInvocations} invocations. ${instead}`,
    );
}
