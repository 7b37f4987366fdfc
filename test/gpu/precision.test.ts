/** @file Which matrix units the class f16 uses, and what is said where an adapter has none that fit. */
import { expect, it } from "vitest";
import {
  checkMatrixUnits,
  type MatrixConfig,
  matrixConfigs,
  matrixShape,
  PrecisionError,
} from "../../src/gpu/precision.ts";

const config = (M: number, N: number, K: number, component = "f16", result = "f32"): MatrixConfig => ({
  M,
  N,
  K,
  component,
  result,
});
const features = new Set(["chromium-experimental-subgroup-matrix", "subgroups", "shader-f16"]);
const good = {
  features,
  matrices: [config(16, 16, 16)],
  subgroupMax: 32,
  limits: { maxInvocations: 1024 },
};

it("the largest shape with f16 factors and f32 sums is taken, whatever else there is", () => {
  expect(matrixShape([])).toBeUndefined();
  expect(matrixShape([config(16, 16, 16, "f16", "f16"), config(8, 8, 8, "f32")])).toBeUndefined();
  expect(matrixShape([config(16, 16, 32), config(4, 4, 4)])).toBeUndefined();
  expect(matrixShape([config(8, 8, 8)])).toBe("8x8x8");
  expect(matrixShape([config(8, 8, 8), config(8, 16, 16)])).toBe("8x16x16");
  expect(matrixShape([config(16, 8, 16), config(16, 8, 8), config(16, 16, 16)])).toBe("16x16x16");
});

it("an adapter's list is read, and one that has none is empty", () => {
  const listed = { M: 16, N: 8, K: 16, componentType: "f16", resultComponentType: "f32" };
  const info = { subgroupMatrixConfigs: [listed] } as unknown as GPUAdapterInfo;
  expect(matrixConfigs(info)).toEqual([config(16, 8, 16)]);
  expect(matrixConfigs({} as GPUAdapterInfo)).toEqual([]);
});

it("what is missing is named, with what to do", () => {
  const refusal = (facts: Partial<typeof good>): string => {
    try {
      checkMatrixUnits({ ...good, ...facts });
    } catch (error) {
      expect(error).toBeInstanceOf(PrecisionError);
      return String(error);
    }
    return "";
  };
  expect(refusal({})).toBe("");
  expect(refusal({ features: new Set(["subgroups"]) })).toMatch(
    /this adapter lacks chromium-experimental-subgroup-matrix, shader-f16\. Use --precision f32; or f16-emulated/,
  );
  expect(refusal({ matrices: [config(8, 8, 8, "f32"), config(16, 16, 16, "f16", "f16")] })).toMatch(
    /f32 sums, of 16x16x16, .*; this adapter offers 8x8x8 f32 with f32 sums; 16x16x16 f16 with f16 sums\./,
  );
  expect(refusal({ matrices: [] })).toMatch(/offers none\./);
  expect(refusal({ subgroupMax: 16 })).toMatch(/this adapter's have up to 16 lanes/);
  expect(refusal({ limits: { maxInvocations: 128 } })).toMatch(/its workgroups 128 invocations/);
});
