/** @file Every kernel in every variant compiles, on any machine; on a CPU adapter each is built quickly without a cache. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { requestAdapter } from "../../src/gpu/adapter.ts";
import { openGpu } from "../../src/gpu/gpu.ts";
import { assemble, variantKey } from "../../src/gpu/kernel-source.ts";
import { catalogue } from "../../src/kernels/catalogue.ts";
import { type BuildTimes, script } from "../support/build-pipelines.ts";

const wgsl = fileURLToPath(new URL("../../wgsl", import.meta.url));

it("the catalogue holds every file of wgsl/, with every choice of its headers", () => {
  const names = new Set(catalogue.map(({ kernel }) => kernel.name));
  const files = readdirSync(wgsl).filter((file) => file.endsWith(".wgsl"));
  expect([...names].sort()).toEqual(files.map((file) => file.slice(0, -".wgsl".length)).sort());
  const absent = catalogue.flatMap(({ kernel }) =>
    Object.entries(kernel.headers).flatMap(([header, choices]) =>
      Object.keys(choices)
        .filter(
          (choice) =>
            !catalogue.some((c) => c.kernel.name === kernel.name && c.variant.headers?.[header] === choice),
        )
        .map((choice) => `${kernel.name} ${header}=${choice}`),
    ),
  );
  // The headers of a pair of lanes are shared by kernels that take different widths.
  expect(absent.filter((entry) => !entry.includes("lanes="))).toEqual([]);
});

it("every pipeline compiles on the null backend", async () => {
  using gpu = await openGpu({ backend: "null" });
  const failures: string[] = [];
  for (const { kernel, variant } of catalogue) {
    await gpu.pipelines.compile(kernel, variant).catch((error: Error) => failures.push(error.message));
  }
  expect(failures).toEqual([]);
  expect(gpu.pipelines.size).toBe(new Set(catalogue.map((c) => variantKey(c.kernel, c.variant))).size);
});

it("every pipeline that needs no feature is valid at WebGPU's default limits", async () => {
  const device = await (await requestAdapter({ backend: "null" })).requestDevice();
  expect(device.limits.maxComputeWorkgroupStorageSize).toBe(16_384);
  const failures: string[] = [];
  let valid = 0;
  for (const { kernel, variant } of catalogue) {
    const code = assemble(kernel, variant);
    if (/^enable /m.test(code)) continue;
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ code });
    const constants = { ...variant.overrides };
    for (const name of Object.keys(constants)) if (!kernel.overrides.includes(name)) delete constants[name];
    device.createComputePipeline({ layout: "auto", compute: { module, constants } });
    const error = await device.popErrorScope();
    if (error === null) valid++;
    else failures.push(`${variantKey(kernel, variant)}: ${error.message}`);
  }
  device.destroy();
  expect(failures).toEqual([]);
  expect(valid).toBeGreaterThan(80);
});

it("on a CPU adapter no pipeline takes 3 s to build without a cache, and all together not 90 s", {
  timeout: 240_000,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), "rmtrain-shaders-"));
  try {
    const run = spawnSync(process.execPath, ["--import", "tsx", script], {
      encoding: "utf8",
      env: { ...process.env, MESA_SHADER_CACHE_DIR: folder },
    });
    expect(run.status, run.stderr).toBe(0);
    const { software, seconds } = JSON.parse(run.stdout) as BuildTimes;
    expect(Object.keys(seconds).length).toBeGreaterThan(20);
    if (!software) return;
    // An empty folder would mean that the driver's cache lies elsewhere, and that nothing here was cold.
    expect(readdirSync(folder)).not.toEqual([]);
    expect(Object.entries(seconds).filter(([, s]) => s > 3)).toEqual([]);
    expect(Object.values(seconds).reduce((sum, s) => sum + s, 0)).toBeLessThan(90);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
