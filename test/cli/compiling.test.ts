/** @file Kernels that a CPU's driver has to compile: a command says so while it waits, and only then. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { tinyModel } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";
import { rmtrain } from "./run-rmtrain.ts";

const gpu = useGpu();

it("score says it where the driver's cache is empty, and not the next time; the rewards are the same", async () => {
  const cache = mkdtempSync(join(tmpdir(), "rmtrain-shaders-"));
  try {
    const args = ["score", "--model", await tinyModel({ family: "gpt2" }), "--data", "-"];
    const run = () =>
      rmtrain(args, JSON.stringify({ input_ids: [1, 2, 3, 4] }), { MESA_SHADER_CACHE_DIR: cache });
    const cold = await run();
    expect(cold.code, cold.err).toBe(0);
    const lines = cold.err.match(/^kernels (\d+) of \1, kept for later runs, 0 s left$/gm) ?? [];
    expect(lines).toHaveLength(gpu().facts.software ? 1 : 0);
    const filled = await run();
    expect(filled.err).not.toMatch(/kernels/);
    expect(filled.out).toBe(cold.out);
    expect(filled.out).toMatch(/"reward":/);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});
