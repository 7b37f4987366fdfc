/**
 * @file The tests that every variant of every operation has to pass (`npm run test:variants` runs them once for each
 * set of forced variants): goldens, gradients, and equal bits alone and in any batch.
 */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: [
      "test/kernels/attention*.test.ts",
      "test/kernels/linear*.test.ts",
      "test/kernels/row-*.test.ts",
      "test/kernels/softmax.test.ts",
      "test/kernels/token-logps.test.ts",
      "test/model/goldens.test.ts",
      "test/model/limits.test.ts",
      "test/model/lora-linear.test.ts",
      "test/model/gradients/*.test.ts",
      "test/audit/invariance.test.ts",
      "test/audit/implicit-model.test.ts",
      "test/audit/reward-model.test.ts",
      "test/train/accumulation.test.ts",
    ],
    reporters: ["dot"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
