/** @file `rmtrain tune`: measures what the table lacks, keeps it, and later runs read it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { openGpu } from "../../src/kernels/open.ts";
import { readEntries, tuningFile, writeEntries } from "../../src/kernels/tuning/store.ts";
import { type TuningEntry, targetName } from "../../src/kernels/tuning/table.ts";
import { openModelFolder } from "../../src/model/model-folder.ts";
import { modelTargets } from "../../src/model/tuning/targets.ts";
import { useGpu } from "../support/gpu.ts";
import { rmtrain } from "./run-rmtrain.ts";

const gpu = useGpu({ variants: {} });
const model = "test/goldens/llama/model";
const cache = mkdtempSync(join(tmpdir(), "rmtrain-tune-"));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true, force: true });
});

it("measures the shapes that the table lacks, and no others; the next run uses the table", async () => {
  await using folder = await openModelFolder(model);
  const targets = await modelTargets(gpu(), { config: folder.config, dtypes: ["f32"] });
  // The shader cache is the one of all tests: opening the device has said so to this process and its children.
  vi.stubEnv("XDG_CACHE_HOME", cache);
  const file = (await tuningFile(gpu().facts)) ?? "";
  const entries = targets.map((target): TuningEntry => ({ ...target, variant: null }));
  const other = { operation: "linear", rows: 1, cols: 1, dtype: "f32", fewRows: true, variant: "rows" };
  await writeEntries(file, gpu().facts, [...entries.slice(2), other]);
  const { code, out, err } = await rmtrain(["tune", "--model", model]);
  expect(code, err).toBe(0);
  expect(out).toContain(`${targets.length} shapes, 2 of them measured now`);
  expect(err).toMatch(/^Tuning: 2 of 2 shapes/m);
  const after = await readEntries(file);
  expect(new Set(after.map(targetName))).toEqual(new Set([...targets, other].map(targetName)));
  expect(after).toContainEqual(other);
  using next = await openGpu();
  expect(next.variants.inUse).toMatch(/^table [0-9a-f]{16}$/);
  expect(next.variants.tuned?.origin).toContain(`${targets.length + 1} entries of ${file}`);
}, 120_000);

it("refuses to compare what is forced", async () => {
  const forced = await rmtrain(["tune", "--model", model], "", { RMTRAIN_VARIANTS: "linear=tile" });
  expect(forced.code).toBe(2);
  expect(forced.err).toMatch(/RMTRAIN_VARIANTS forces variants: unset it/);
});
