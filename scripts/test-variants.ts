/**
 * @file `npm run test:variants`: the tests of vitest.variants.config.ts with every variant of every operation forced in
 * turn. Pass i forces the i-th variant of each operation (of those that this adapter can run, from the first on again
 * where there are fewer), so there are as many passes as the operation with the most variants has.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { openGpu } from "../src/gpu/gpu.ts";
import { variantsVariable } from "../src/gpu/variants.ts";
import { variantRegistry } from "../src/kernels/variant-registry.ts";
import { runnableVariants } from "../src/kernels/variants.ts";
import { script as buildPipelines } from "../test/support/build-pipelines.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

async function passes(): Promise<string[]> {
  using gpu = await openGpu({ variants: {} });
  const operations = variantRegistry.map((of) => ({ of, runnable: runnableVariants(gpu, of) }));
  for (const { of, runnable } of operations) {
    const left = of.variants.filter((variant) => !runnable.includes(variant));
    if (left.length > 0)
      console.log(`Not tested, since this adapter can't run it: ${of.operation}=${left.join(", ")}`);
  }
  const count = Math.max(...operations.map(({ runnable }) => runnable.length));
  return Array.from({ length: count }, (_, i) =>
    operations
      .map(({ of, runnable }) => `${of.operation}=${runnable[i % runnable.length] ?? of.variants[0]}`)
      .join(","),
  );
}

function run(command: readonly string[], env: NodeJS.ProcessEnv, stdio: "inherit" | "ignore"): void {
  const [file = "", ...args] = command;
  const { status } = spawnSync(file, args, { cwd: root, env, stdio });
  if (status !== 0) throw new Error(`${command.join(" ")} failed (${status})`);
}

const started = performance.now();
const forcings = await passes();
// One process builds what all the tests' processes would build side by side.
run([process.execPath, "--import", "tsx", buildPipelines], process.env, "ignore");
for (const [i, forced] of forcings.entries()) {
  console.log(`\n== pass ${i + 1} of ${forcings.length}: ${variantsVariable}=${forced}`);
  const vitest = [
    process.execPath,
    "node_modules/vitest/vitest.mjs",
    "run",
    "--config",
    "vitest.variants.config.ts",
  ];
  run(vitest, { ...process.env, [variantsVariable]: forced }, "inherit");
}
console.log(`\n${forcings.length} passes in ${((performance.now() - started) / 1e3).toFixed(0)} s`);
