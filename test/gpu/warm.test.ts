import { expect, it } from "vitest";
import { rmsNorm } from "../../src/kernels/rms-norm.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";
import { useGpu } from "../support/gpu.ts";

const gpu = useGpu();

it("warm builds the pipelines that a recording would use, and runs nothing", async () => {
  using _ = gpu().scope();
  const x = uploadTensor(gpu(), Float32Array.of(3, 4), 2, "x");
  const weight = uploadTensor(gpu(), Float32Array.of(1, 1), 2, "weight");
  const before = { ...gpu().recorder.stats, live: gpu().memory.live };
  await gpu().warm(() => rmsNorm(gpu(), x, weight, 0));
  expect(gpu().pipelines.size).toBe(1);
  expect({ ...gpu().recorder.stats, live: gpu().memory.live }).toEqual(before);
  const y = await readTensor(gpu(), rmsNorm(gpu(), x, weight, 0));
  expect(gpu().pipelines.size).toBe(1);
  expect(y[1]! / y[0]!).toBeCloseTo(4 / 3, 6);
});
