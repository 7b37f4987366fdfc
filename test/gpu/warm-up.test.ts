/** @file Kernels made ready before their first use: told of while the driver compiles, silent where it has them, no result changed. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openGpu } from "../../src/gpu/gpu.ts";
import { sharesShaders } from "../../src/gpu/shader-cache.ts";
import { warmUp } from "../../src/gpu/warm-up.ts";
import { rmsNorm } from "../../src/kernels/rms-norm.ts";
import { softmax } from "../../src/kernels/softmax.ts";
import { readTensor, uploadTensor } from "../../src/tensor/tensor.ts";

const script = join(import.meta.dirname, "warm-up-cold.ts");

it("builds each pipeline once, takes no memory for good, and the work that follows builds none", async () => {
  using gpu = await openGpu();
  using _ = gpu.scope();
  const x = uploadTensor(gpu, Float32Array.of(3, 4), 2, "x");
  const weight = uploadTensor(gpu, Float32Array.of(1, 1), 2, "weight");
  const work = () => softmax(gpu, rmsNorm(gpu, rmsNorm(gpu, x, weight, 0), weight, 0));
  const { pipelines } = gpu.rehearse(work);
  expect(pipelines.length).toBe(3);
  const { live } = gpu.memory;
  await warmUp(gpu, pipelines);
  expect(gpu.memory.live).toBe(live);
  expect(gpu.pipelines.size).toBe(2);
  const [a = 0, b = 0] = await readTensor(gpu, work());
  expect(gpu.pipelines.size).toBe(2);
  expect(a + b).toBeCloseTo(1, 6);
});

it("a CPU's driver with an empty cache compiles with progress, and with a filled one in silence", () => {
  const cache = mkdtempSync(join(tmpdir(), "rmtrain-shaders-"));
  try {
    const run = () => {
      const env = { ...process.env, MESA_SHADER_CACHE_DIR: cache };
      const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", script], {
        env,
        encoding: "utf8",
      });
      expect(stdout, stderr).toMatch(/^\{/);
      return JSON.parse(stdout) as { software: boolean; progress: [number, number][] };
    };
    const cold = run();
    if (!cold.software) return;
    expect(cold.progress.at(-1)).toEqual([3, 3]);
    expect(run().progress).toEqual([]);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});

it("devices share what is compiled only where Mesa keeps it on disk", () => {
  const mesa = "llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)";
  const before = process.env.MESA_SHADER_CACHE_DISABLE;
  try {
    delete process.env.MESA_SHADER_CACHE_DISABLE;
    expect([mesa, "SwiftShader", "NVIDIA H100"].map(sharesShaders)).toEqual([true, false, false]);
    process.env.MESA_SHADER_CACHE_DISABLE = "true";
    expect(sharesShaders(mesa)).toBe(false);
  } finally {
    if (before === undefined) delete process.env.MESA_SHADER_CACHE_DISABLE;
    else process.env.MESA_SHADER_CACHE_DISABLE = before;
  }
});
