/** @file What is measured for a model: the shapes of its own linears and heads, as it stores them and as it learns. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Gpu, openGpu } from "../../../src/gpu/gpu.ts";
import { type TuningTarget, targetName } from "../../../src/kernels/tuning/table.ts";
import { parseConfig } from "../../../src/model/config.ts";
import { modelTargets } from "../../../src/model/tuning/targets.ts";
import { usualModels } from "../../../src/model/tuning/usual-models.ts";

let gpu: Gpu;
beforeAll(async () => {
  gpu = await openGpu({ backend: "null", variants: {} });
});
afterAll(() => gpu.close());

const config = parseConfig(
  {
    model_type: "llama",
    hidden_size: 24,
    intermediate_size: 36,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    num_hidden_layers: 30,
    max_position_embeddings: 4096,
    vocab_size: 150_000,
    rms_norm_eps: 1e-5,
  },
  "config.json",
);
const shapesOf = (targets: readonly TuningTarget[], operation: string, dtype: string, fewRows: boolean) =>
  targets
    .filter((t) => t.operation === operation && t.dtype === dtype && t.fewRows === fewRows)
    .map(({ rows, cols }) => `${rows}x${cols}`)
    .sort();

it("each shape of a layer once, as stored and as f32, for few rows and many; LoRA's; the head size", async () => {
  const targets = await modelTargets(gpu, { config, dtypes: ["bf16"] });
  expect(new Set(targets.map(targetName)).size).toBe(targets.length);
  const layer = ["24x24", "24x36", "48x24", "72x24"];
  for (const fewRows of [true, false]) {
    expect(shapesOf(targets, "linear", "bf16", fewRows)).toEqual(layer);
    expect(shapesOf(targets, "linear", "f32", fewRows)).toEqual(expect.arrayContaining(layer));
    expect(shapesOf(targets, "linear", "f32", fewRows)).toEqual(expect.arrayContaining(["16x24", "16x36"]));
    expect(shapesOf(targets, "linear_input_gradient", "f32", fewRows)).toEqual(expect.arrayContaining(layer));
  }
  expect(shapesOf(targets, "linear_weight_gradient", "f32", false)).toEqual(expect.arrayContaining(layer));
  for (const operation of ["attention", "attention_key_gradient", "attention_query_gradient"])
    expect(shapesOf(targets, operation, "f32", false)).toEqual(["0x6"]);
});

it("nothing is left on the device, nor chosen by what watched", async () => {
  const before = gpu.memory.live;
  await modelTargets(gpu, { config, dtypes: ["f32"] });
  expect(gpu.memory.live).toBe(before);
  expect(gpu.variants.tuned).toBeUndefined();
});

it("what does not fit the device's memory is left out", async () => {
  using small = await openGpu({ backend: "null", variants: {}, memoryBudget: 60_000 });
  const all = await modelTargets(gpu, { config, dtypes: ["bf16"] });
  const some = await modelTargets(small, { config, dtypes: ["bf16"] });
  expect(some.length).toBeLessThan(all.length);
  expect(small.memory.live).toBe(0);
});

it("models in common use are models", () => {
  const [onCpus, onGpus] = [usualModels(true), usualModels(false)];
  expect(onCpus.map(({ config: { hiddenSize } }) => hiddenSize)).toEqual([128, 288, 768, 1024]);
  expect(onGpus.length).toBeGreaterThan(onCpus.length);
});
