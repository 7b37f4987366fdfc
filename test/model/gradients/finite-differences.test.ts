/**
 * @file Gradients of random tiny models of every family against finite differences of the float64 decoder, along random
 * directions of every parameter.
 */
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pack } from "../../../src/data/pack.ts";
import { rowOf, sequenceLength } from "../../../src/kernels/packed-batch.ts";
import type { ModelConfig } from "../../../src/model/config.ts";
import type { TrainableModel } from "../../../src/model/trainable.ts";
import { uploadTensor } from "../../../src/tensor/tensor.ts";
import { finiteDifferences } from "../../reference/finite-differences.ts";
import { referenceForward, type Weights } from "../../reference/forward.ts";
import { readSafetensors } from "../../reference/safetensors.ts";
import { useGpu } from "../../support/gpu.ts";
import { normals } from "../../support/numbers.ts";
import { type TinyModel, tinyModel } from "../tiny-model.ts";
import { backward, type Gradients, loadTrainable, readGradients } from "./support.ts";

const device = useGpu();
const vocabulary = 13;

const shape = fc.record({
  layers: fc.integer({ min: 1, max: 2 }),
  kvHeads: fc.integer({ min: 1, max: 2 }),
  group: fc.integer({ min: 1, max: 2 }),
  headDim: fc.constantFrom(4, 6),
  intermediate: fc.integer({ min: 3, max: 11 }),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

const llamaLike = (s: Shape) => ({
  hidden_size: s.headDim * s.kvHeads * s.group,
  intermediate_size: s.intermediate,
  num_attention_heads: s.kvHeads * s.group,
  num_key_value_heads: s.kvHeads,
  head_dim: s.headDim,
  num_hidden_layers: s.layers,
  vocab_size: vocabulary,
});
const gpt2 = (s: Shape) => ({
  n_embd: s.headDim * s.kvHeads,
  n_head: s.kvHeads,
  n_inner: s.intermediate,
  n_layer: s.layers,
  n_positions: 20,
  vocab_size: vocabulary,
});

const models: Readonly<Record<string, (s: Shape) => TinyModel>> = {
  llama: (s) => ({ family: "llama", config: llamaLike(s) }),
  "llama with biases": (s) => ({
    family: "llama",
    config: { ...llamaLike(s), attention_bias: true, mlp_bias: true },
  }),
  qwen2: (s) => ({ family: "qwen2", config: llamaLike(s) }),
  // Its hidden size is not heads x head size.
  qwen3: (s) => ({ family: "qwen3", config: { ...llamaLike(s), hidden_size: 10 } }),
  gpt2: (s) => ({ family: "gpt2", config: gpt2(s) }),
  "gpt2 with erf": (s) => ({ family: "gpt2", config: { ...gpt2(s), activation_function: "gelu" } }),
};

/** Replies to shared prompts, of ids that come more than once. */
const items = fc.array(
  fc
    .record({
      prompt: fc.array(fc.nat({ max: vocabulary - 1 }), { maxLength: 5 }),
      replies: fc.array(fc.array(fc.nat({ max: vocabulary - 1 }), { minLength: 1, maxLength: 5 }), {
        minLength: 1,
        maxLength: 3,
      }),
    })
    .map(({ prompt, replies }) => ({
      sequences: replies.map((reply) => Int32Array.from([...prompt, ...reply])),
    })),
  { minLength: 1, maxLength: 3 },
);
type Items = typeof items extends fc.Arbitrary<infer T> ? T : never;

/** Of the loss sum of slope_n times the reward of sequence n. */
async function gradients(model: TrainableModel, list: Items, slopes: Float32Array): Promise<Gradients> {
  const { gpu } = model;
  model.arena.clear("gradient");
  {
    using _scope = gpu.scope();
    const batch = pack(list);
    const rows = Array.from(slopes, (_, n) => rowOf(batch, n, sequenceLength(batch, n) - 1));
    backward(model, batch, rows, () => uploadTensor(gpu, slopes, 1, "slopes"));
  }
  return await readGradients(model);
}

function referenceLoss(config: ModelConfig, weights: Weights, list: Items, slopes: Float32Array): number {
  return list
    .flatMap(({ sequences }) => sequences)
    .reduce(
      (sum, ids, n) =>
        sum + slopes[n]! * (referenceForward(config, weights, ids).rewards?.at(-1) ?? Number.NaN),
      0,
    );
}

describe.each(Object.keys(models))("%s", (name) => {
  it("equals finite differences in every parameter", async () => {
    await fc.assert(
      fc.asyncProperty(shape, items, fc.nat(), async (s, list, seed) => {
        const dir = await tinyModel({ family: "llama", ...models[name]?.(s), seed: (seed % 1000) + 1 });
        const weights: Weights = readSafetensors(join(dir, "model.safetensors"));
        using model = await loadTrainable(device(), dir);
        const slopes = normals(seed, list.flatMap((item) => item.sequences).length);
        const own = await gradients(model, list, slopes);
        expect([...own.keys()].sort()).toEqual([...weights.keys()].sort());
        const norm = Math.hypot(...[...own.values()].flatMap((values) => [...values]));
        for (const [parameter, values] of own) {
          const stored = weights.get(parameter)!;
          const direction = normals(seed + values.length, values.length);
          const length = Math.hypot(...direction);
          const along = (t: Float64Array) => {
            const data = Float64Array.from(stored.data, (v, i) => v + (t[0]! * direction[i]!) / length);
            return referenceLoss(model.config, new Map([...weights, [parameter, { data }]]), list, slopes);
          };
          const [expected = Number.NaN] = finiteDifferences(along, [0]);
          const slope = values.reduce((sum, v, i) => sum + (v * direction[i]!) / length, 0);
          const bound = 1e-4 * Math.hypot(...values) + 1e-6 * norm + 1e-8;
          expect(Math.abs(slope - expected), `${parameter}: ${slope}, not ${expected}`).toBeLessThan(bound);
        }
      }),
      { numRuns: 4 },
    );
  });
});
