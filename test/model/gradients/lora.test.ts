/** @file Low-rank updates of whole models: gradients, what stays as it was, and what a step keeps. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pack } from "../../../src/data/pack.ts";
import { rowOf } from "../../../src/kernels/packed-batch.ts";
import { type LoraPartSpec, loraParts } from "../../../src/model/adapter/parts.ts";
import { type LoraSettings, loraDefaults } from "../../../src/model/adapter/settings.ts";
import { loadBackbone } from "../../../src/model/load.ts";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import type { TrainableModel } from "../../../src/model/trainable.ts";
import { readTensor, uploadTensor } from "../../../src/tensor/tensor.ts";
import { finiteDifferences } from "../../reference/finite-differences.ts";
import { referenceForward, type Weights } from "../../reference/forward.ts";
import { readSafetensors } from "../../reference/safetensors.ts";
import { useGpu } from "../../support/gpu.ts";
import { normals } from "../../support/numbers.ts";
import { type TinyModel, tinyModel } from "../tiny-model.ts";
import { backward, type Gradients, loadTrainable, readGradients } from "./support.ts";

const device = useGpu();
const settings: LoraSettings = { ...loraDefaults, r: 3, alpha: 5 };
const options = { trainable: "lora", lora: settings, seed: 4 } as const;

const prompt = [3, 1, 4, 1, 5];
const items = [
  { sequences: [Int32Array.from([...prompt, 9, 2, 6]), Int32Array.from([...prompt, 5, 3])] },
  { sequences: [Int32Array.from([7, 7, 8])] },
];
const slopes = Float32Array.from([0.7, -1.1, 0.4]);

/** Gradients of the slopes times the rewards at the sequences' ends. */
async function gradients(
  model: TrainableModel,
  step: Parameters<typeof backward>[4] = {},
): Promise<Gradients> {
  model.arena.clear("gradient");
  {
    using _scope = model.gpu.scope();
    const batch = pack(items);
    const ends = items.flatMap(({ sequences }) => sequences.map((ids) => ids.length - 1));
    const rows = ends.map((end, n) => rowOf(batch, n, end));
    backward(model, batch, rows, () => uploadTensor(model.gpu, slopes, 1, "slopes"), step);
  }
  return await readGradients(model);
}

/** The updates' values with B no longer zero, by their names. */
function fillUpdates(model: TrainableModel): Map<string, Float32Array> {
  return new Map(
    model.parameters.map(({ name, rows, cols }, i) => {
      const values = normals(50 + i, rows * cols, 0.3);
      model.arena.write("master", name, values);
      return [name, values];
    }),
  );
}

/** The base's weights with the updates added: W + scale B A. */
function merged(
  base: Weights,
  parts: readonly LoraPartSpec[],
  updates: ReadonlyMap<string, ArrayLike<number>>,
) {
  const weights = new Map(base);
  for (const { module, r, scale, a, b } of parts) {
    const name = `${module.name}.weight`;
    const data = Float64Array.from(base.get(name)!.data);
    const [va, vb] = [updates.get(a.name)!, updates.get(b.name)!];
    for (let o = 0; o < module.out; o++) {
      for (let i = 0; i < module.in; i++) {
        const at = module.transposed ? i * module.out + o : o * module.in + i;
        for (let k = 0; k < r; k++) data[at]! += scale * vb[o * r + k]! * va[k * module.in + i]!;
      }
    }
    weights.set(name, { data });
  }
  return weights;
}

const models: Readonly<Record<string, TinyModel>> = {
  llama: { family: "llama", dtype: "BF16", config: { attention_bias: true, mlp_bias: true } },
  qwen3: { family: "qwen3" },
  gpt2: { family: "gpt2", dtype: "F16" },
};

describe.each(Object.keys(models))("%s", (name) => {
  const load = async () => {
    const dir = await tinyModel(models[name] ?? { family: "llama" });
    return { dir, model: await loadTrainable(device(), dir, options) };
  };

  it("gradients of the updates and of the head equal finite differences; layers that run again, the same bits", async () => {
    const { dir, model: loaded } = await load();
    using model = loaded;
    const { config } = model;
    const updates = fillUpdates(model);
    const base: Weights = readSafetensors(join(dir, "model.safetensors"));
    const parts = loraParts(config, settings);
    const own = await gradients(model);
    expect(await gradients(model, { checkpointing: true })).toEqual(own);
    expect([...own.keys()].sort()).toEqual([...updates.keys()].sort());
    const norm = Math.hypot(...[...own.values()].flatMap((values) => [...values]));
    const loss = (changed: ReadonlyMap<string, ArrayLike<number>>) => {
      const weights = merged(base, parts, changed);
      weights.set("score.weight", { data: Float64Array.from(changed.get("score.weight")!) });
      return items
        .flatMap(({ sequences }) => sequences)
        .reduce(
          (sum, ids, n) => sum + slopes[n]! * referenceForward(config, weights, ids).rewards!.at(-1)!,
          0,
        );
    };
    for (const [parameter, values] of own) {
      const direction = normals(values.length, values.length);
      const length = Math.hypot(...direction);
      const along = ([t = 0]: Float64Array) => {
        const moved = Float64Array.from(updates.get(parameter)!, (v, i) => v + (t * direction[i]!) / length);
        return loss(new Map<string, ArrayLike<number>>([...updates, [parameter, moved]]));
      };
      const [expected = Number.NaN] = finiteDifferences(along, [0]);
      const slope = values.reduce((sum, v, i) => sum + (v * direction[i]!) / length, 0);
      const bound = 1e-4 * Math.hypot(...values) + 1e-6 * norm;
      expect(Math.abs(slope - expected), parameter).toBeLessThan(bound);
    }
  });

  it("begins as the base, bit for bit; without the adapter it always is", async () => {
    const { dir, model: loaded } = await load();
    using model = loaded;
    await using folder = await openModelFolder(dir);
    const { backbone } = await loadBackbone(device(), folder);
    const batch = pack(items);
    const states = (from: typeof backbone, adapter?: boolean) => {
      using _scope = device().scope();
      return readTensor(device(), from.forward(batch, batch.rows, { adapter }));
    };
    const base = await states(backbone);
    backbone.release();
    expect(await states(model.backbone)).toEqual(base);
    fillUpdates(model);
    expect(await states(model.backbone)).not.toEqual(base);
    expect(await states(model.backbone, false)).toEqual(base);
  });
});

it("dropout: the same gradients for the same step, with layers that run again too; others for another", async () => {
  const lora = { ...settings, dropout: 0.3 };
  const dir = await tinyModel({ family: "llama" });
  using model = await loadTrainable(device(), dir, { ...options, lora });
  fillUpdates(model);
  const plain = await gradients(model);
  const first = await gradients(model, { dropout: { seed: 1, step: 1 } });
  expect(await gradients(model, { dropout: { seed: 1, step: 1 }, checkpointing: true })).toEqual(first);
  expect(await gradients(model, { dropout: { seed: 1, step: 2 } })).not.toEqual(first);
  expect(plain).not.toEqual(first);
});

it("records nothing below the lowest layer that learns, and keeps nothing of it", async () => {
  const used = async (layers: number) => {
    const dir = await tinyModel({ family: "llama", config: { num_hidden_layers: layers } });
    const lora = { ...settings, layers: [layers - 1] };
    using model = await loadTrainable(device(), dir, { ...options, lora });
    await gradients(model);
    const { live } = device().memory;
    const before = device().recorder.stats.dispatches;
    device().resetPeak();
    let length = 0;
    {
      using tape = model.tape();
      const batch = pack(items);
      model.backbone.forward(batch, batch.rows, { tape });
      length = tape.length;
    }
    await device().finish();
    return {
      length,
      peak: device().memory.peak - live,
      dispatches: device().recorder.stats.dispatches - before,
    };
  };
  const [two, six] = [await used(2), await used(6)];
  expect(six.dispatches).toBeGreaterThan(two.dispatches);
  expect([six.length, six.peak]).toEqual([two.length, two.peak]);
});

it("goes on from given values, and keeps frozen weights as stored", async () => {
  const dir = await tinyModel({ family: "qwen2", dtype: "BF16" });
  await using folder = await openModelFolder(dir);
  const parts = loraParts(folder.config, settings).map((part, i) => ({
    ...part,
    values: {
      a: normals(i, part.a.rows * part.a.cols),
      b: normals(100 + i, part.b.rows * part.b.cols),
    },
  }));
  using model = await loadTrainable(device(), dir, { ...options, adapter: { parts } });
  const own = await model.read();
  for (const { a, b, values } of parts) {
    expect(own.get(a.name)).toEqual(values.a);
    expect(own.get(b.name)).toEqual(values.b);
  }
  expect(own.size).toBe(2 * parts.length + 1);
  expect(model.backbone.weights.embed.dtype).toBe("bf16");
});
