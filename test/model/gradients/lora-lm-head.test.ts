/** @file A low-rank update of the vocabulary head: PEFT's log-probabilities, and gradients by finite differences. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pack } from "../../../src/data/pack.ts";
import { openAdapter } from "../../../src/model/adapter/open-adapter.ts";
import { type LoraPartSpec, loraParts } from "../../../src/model/adapter/parts.ts";
import { loraDefaults } from "../../../src/model/adapter/settings.ts";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import { replyEntries } from "../../../src/model/reply-entries.ts";
import { replyLogps } from "../../../src/model/reply-logps.ts";
import { TrainableModel } from "../../../src/model/trainable.ts";
import { readTensor, uploadTensor } from "../../../src/tensor/tensor.ts";
import { finiteDifferences } from "../../reference/finite-differences.ts";
import { referenceForward, tokenLogProbabilities, type Weights } from "../../reference/forward.ts";
import { goldenModel } from "../../reference/goldens.ts";
import { readSafetensors } from "../../reference/safetensors.ts";
import { useGpu } from "../../support/gpu.ts";
import { normals, relativeError } from "../../support/numbers.ts";
import { adapterFolder, adapterSequences } from "../adapter/golden-adapters.ts";
import { tinyModel } from "../tiny-model.ts";
import { readGradients } from "./support.ts";

const device = useGpu();
const settings = { ...loraDefaults, r: 3, alpha: 5, targets: ["q_proj", "lm_head"] };
const sequences = [Int32Array.of(3, 1, 4, 1, 5, 9), Int32Array.of(2, 7, 1, 8)];
const starts = [2, 1];
const slopes = Float32Array.of(0.8, -1.3);

/** log-probabilities of replies, [sequence], without a tape. */
async function sums(
  model: TrainableModel,
  of: readonly Int32Array[],
  from: readonly number[],
  adapter?: boolean,
): Promise<Float32Array> {
  using _scope = model.gpu.scope();
  const batch = pack(of.map((ids) => ({ sequences: [ids] })));
  const hidden = model.backbone.forward(batch, batch.rows, { adapter });
  const entries = replyEntries(batch, from);
  return await readTensor(
    model.gpu,
    replyLogps({ gpu: model.gpu, adapter }, hidden, model.vocabulary!, entries).sums,
  );
}

it("PEFT's adapter on qwen2-lm: its log-probabilities of every token", async () => {
  await using folder = await openModelFolder(goldenModel("qwen2-lm"));
  const adapter = await openAdapter(adapterFolder("qwen2-lm"), folder);
  const { settings: lora } = adapter;
  using model = await TrainableModel.load(device(), folder, {
    trainable: "lora",
    lora,
    adapter,
    seed: 0,
    lmHead: true,
  });
  const rows = adapterSequences("qwen2-lm").filter(({ ids }) => ids.length > 1);
  const batch = pack(rows.map(({ ids }) => ({ sequences: [ids] })));
  using _scope = device().scope();
  const hidden = model.backbone.forward(batch, batch.rows);
  const entries = replyEntries(
    batch,
    rows.map(() => 1),
  );
  const { tokens } = replyLogps({ gpu: device() }, hidden, model.vocabulary!, entries);
  const logps = await readTensor(device(), tokens);
  const golden = rows.flatMap(({ ids, of }) => [...of("batch/token_logps.f64").subarray(0, ids.length - 1)]);
  expect(relativeError(logps, golden)).toBeLessThan(1e-5);
});

/** The base with the updates folded in and a head of its own, in float64. */
function adapted(
  base: Weights,
  tied: boolean,
  parts: readonly LoraPartSpec[],
  updates: ReadonlyMap<string, ArrayLike<number>>,
) {
  const weights = new Map(base);
  for (const { module, r, scale, a, b } of parts) {
    const name = `${module.name}.weight`;
    const from = tied && module.name === "lm_head" ? "model.embed_tokens.weight" : name;
    const data = Float64Array.from(base.get(from)!.data);
    const [va, vb] = [updates.get(a.name)!, updates.get(b.name)!];
    for (let o = 0; o < module.out; o++)
      for (let i = 0; i < module.in; i++)
        for (let k = 0; k < r; k++)
          data[o * module.in + i]! += scale * vb[o * r + k]! * va[k * module.in + i]!;
    weights.set(name, { data });
  }
  return weights;
}

describe.each([false, true])("tied: %s", (tied) => {
  const make = () =>
    tinyModel({ family: "llama", architecture: "causal-lm", config: { tie_word_embeddings: tied } });

  it("gradients equal finite differences; the base is what it was", async () => {
    const dir = await make();
    await using folder = await openModelFolder(dir);
    const options = { trainable: "lora", lora: settings, seed: 2, lmHead: true } as const;
    using model = await TrainableModel.load(device(), folder, options);
    const { config } = model;
    const begun = await sums(model, sequences, starts);
    expect(begun).toEqual(await sums(model, sequences, starts, false));

    const updates = new Map<string, Float32Array>();
    for (const [i, { name, rows, cols }] of model.parameters.entries()) {
      const values = normals(30 + i, rows * cols, 0.3);
      updates.set(name, values);
      model.arena.write("master", name, values);
    }
    const parts = loraParts(config, settings, { lmHead: true });
    const base: Weights = readSafetensors(join(dir, "model.safetensors"));
    const expected = (changed: ReadonlyMap<string, ArrayLike<number>>) => {
      const weights = adapted(base, tied, parts, changed);
      return sequences.map((ids, n) => {
        const { logits } = referenceForward({ ...config, tied: false }, weights, ids);
        const logps = tokenLogProbabilities(logits!, ids, config.vocabSize);
        return logps.subarray(starts[n]! - 1).reduce((sum, p) => sum + p, 0);
      });
    };
    expect(relativeError(await sums(model, sequences, starts), expected(updates))).toBeLessThan(1e-5);
    expect(await sums(model, sequences, starts, false)).toEqual(begun);

    model.arena.clear("gradient");
    {
      using _scope = device().scope();
      const batch = pack(sequences.map((ids) => ({ sequences: [ids] })));
      const seeds = uploadTensor(device(), slopes, 1, "slopes");
      using tape = model.tape();
      const hidden = model.backbone.forward(batch, batch.rows, { tape });
      const entries = replyEntries(batch, starts);
      const result = replyLogps({ gpu: device(), tape }, hidden, model.vocabulary!, entries);
      tape.release(hidden);
      tape.backward([[result.sums, seeds]]);
    }
    const own = await readGradients(model);
    expect(own.size).toBe(2 * parts.length);
    const norm = Math.hypot(...[...own.values()].flatMap((values) => [...values]));
    const loss = (changed: ReadonlyMap<string, ArrayLike<number>>) =>
      expected(changed).reduce((sum, logp, n) => sum + slopes[n]! * logp, 0);
    for (const [name, values] of own) {
      const direction = normals(values.length, values.length);
      const length = Math.hypot(...direction);
      const along = ([t = 0]: Float64Array) => {
        const moved = Float64Array.from(updates.get(name)!, (v, i) => v + (t * direction[i]!) / length);
        return loss(new Map<string, ArrayLike<number>>([...updates, [name, moved]]));
      };
      const [wanted = Number.NaN] = finiteDifferences(along, [0]);
      const slope = values.reduce((sum, v, i) => sum + (v * direction[i]!) / length, 0);
      expect(Math.abs(slope - wanted), name).toBeLessThan(1e-4 * Math.hypot(...values) + 1e-6 * norm);
    }
  });

  it("is refused with a reward head, and with dropout", async () => {
    await using folder = await openModelFolder(await make());
    const load = (more: object) =>
      TrainableModel.load(device(), folder, { trainable: "lora", lora: settings, seed: 2, ...more });
    await expect(load({ head: new Float32Array(24) })).rejects.toThrow(/lm_head/);
    const lora = { ...settings, dropout: 0.1 };
    await expect(load({ lmHead: true, lora })).rejects.toThrow(
      /--lora-dropout is not implemented for lm_head/,
    );
  });
});
