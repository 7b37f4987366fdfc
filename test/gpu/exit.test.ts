/** @file The process ends by itself, whatever became of the device. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { compiled } from "../support/compiled.ts";

const gpu = JSON.stringify(pathToFileURL(join(compiled(), "gpu/gpu.js")).href);

/** Runs a module that has opened a device; returns its exit code, null when it hung or was aborted. */
function run(body: string): { code: number | null; err: string } {
  const source = `import { openGpu } from ${gpu};\nconst gpu = await openGpu();\n${body}`;
  const child = spawnSync(process.execPath, ["--input-type=module", "-e", source], {
    encoding: "utf8",
    timeout: 20_000,
  });
  return { code: child.status, err: child.stderr };
}

it.each([
  ["closed", "gpu.close();", 0],
  ["closed in the middle of work", "gpu.finish().catch(() => {}); gpu.close();", 0],
  ["left open", "await gpu.finish();", 0],
  ["left open with work that nobody waits for", 'gpu.recorder.clear(gpu.allocate(64, "a"), 0, 64);', 0],
  ["left open by an exception", 'gpu.allocate(64, "a"); throw new Error("on the way");', 1],
  ["left by process.exit while it reads", 'void gpu.read(gpu.allocate(64, "a"), 0, 64); process.exit(3);', 3],
  ["closed while somebody reads", 'void gpu.read(gpu.allocate(64, "a"), 0, 64); gpu.close();', 1],
  ["closed by a rejected wait", "gpu.device.destroy(); await gpu.finish();", 1],
])("%s", (_, body, code) => {
  const result = run(body);
  expect(result.code, result.err).toBe(code);
});
