/** @file `rmtrain score --precision`: it computes in that class, and says when the model was trained in another one. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder, tinyModel } from "../model/tiny-model.ts";
import { useGpu } from "../support/gpu.ts";
import { idPairs, jsonl, run } from "../train/records.ts";
import { rmtrain } from "./run-rmtrain.ts";

const gpu = useGpu({ precision: "f16-emulated" });

it("a model trained in f16, scored in its own class and in f32", { timeout: 180_000 }, async () => {
  const model = await tinyModel({ family: "llama", architecture: "bare" });
  const options = { model, data: jsonl(idPairs(12)), maxSteps: 2, precision: "f16-emulated" } as const;
  const { out } = await run(gpu(), options);
  const texts = join(temporaryFolder(), "texts.jsonl");
  writeFileSync(texts, `${JSON.stringify({ id: "a", input_ids: [3, 1, 4, 1, 5] })}\n`);
  const score = (...more: string[]) => rmtrain(["score", "--model", out, "--data", texts, ...more]);
  const [same, other] = await Promise.all([score("--precision", "f16-emulated"), score()]);
  expect(same.code, same.err).toBe(0);
  expect(same.err).not.toMatch(/precision/);
  expect(other.err).toMatch(
    /^Not as in training: --precision is f32, it was f16-emulated; rewards differ by its rounding$/m,
  );
  const [rounded = 0, plain = 0] = [same, other].map(({ out: line }) => JSON.parse(line).reward as number);
  expect(rounded).not.toBe(plain);
  expect(Math.abs(rounded - plain)).toBeLessThan(0.01 * Math.max(1, Math.abs(plain)));
});
