/**
 * @file The reference's log-probabilities in DPO with low-rank updates: computed once before the steps, by the model itself
 * with its updates off, or kept from an earlier run; against a second model that is asked in every step.
 */

import { loraDefaults } from "../../src/model/adapter/settings.ts";
import { type CausalLm, loadCausalLm } from "../../src/model/causal-lm.ts";
import { syntheticFolder } from "../../src/model/synthetic.ts";
import { TrainableModel } from "../../src/model/trainable.ts";
import { uploadTensor } from "../../src/tensor/tensor.ts";
import { microBatchOf } from "../../src/train/micro-batches.ts";
import { type PolicyOnDevice, replyLogpsOf, replySum } from "../../src/train/reply-logps.ts";
import { ImplicitReward } from "../../src/train/rewards/implicit.ts";
import { implicitForms } from "../../src/train/rewards/implicit-form.ts";
import { timed } from "./clock.ts";
import { positions, shape, someIds } from "./model.ts";
import { batchTokens } from "./passes.ts";
import { compare, comparisonCells, comparisonColumns, MiB, type Table } from "./table.ts";

const epochs = 3;
const prompt = 64;
const reply = 64;
const pairs = Array.from({ length: 4 }, (_, i) => ({
  sequences: [1, 2].map((n) => Int32Array.from([...someIds(prompt, i), ...someIds(reply, 100 * n + i)])),
  replyStarts: [prompt, prompt],
}));

export const reference: Table = {
  name: "reference",
  title: "The reference of DPO",
  how: `4 pairs (prompts of ${prompt} tokens, replies of ${reply}), ${epochs} epochs of low-rank updates. Off: a second model on the device gives the reference's log-probabilities in every step. Predicted: a step costs 2 forward passes (its own, and as much backwards, since frozen weights take no gradient), the reference 1; what the updates themselves and attention's backward add, which at this width is half a pass or more, is left out, so the prediction is high.`,
  columns: ["", ...comparisonColumns, "weights off, MiB", "weights on, MiB"],
  async *rows({ gpu }) {
    await using folder = syntheticFolder(shape, positions, "causal-lm");
    const began = gpu.memory.live;
    using model = await TrainableModel.load(gpu, folder, {
      trainable: "lora",
      lora: loraDefaults,
      lmHead: true,
      seed: 0,
    });
    const policyBytes = gpu.memory.live - began;
    using other: CausalLm = await loadCausalLm(gpu, folder);
    const bytes = [gpu.memory.live - began, policyBytes];
    const itself = { backbone: model.backbone, lmHead: model.lmHead! };
    const steps = async (ask: (epoch: number) => PolicyOnDevice | undefined) => {
      let known: Reference = new Map();
      for (let epoch = 0; epoch < epochs; epoch++) {
        const asked = ask(epoch);
        if (asked !== undefined) known = await referenceOf(asked);
        step(model, known);
        await gpu.finish();
      }
    };
    const ways = [() => other, (epoch: number) => (epoch === 0 ? itself : undefined), () => undefined];
    const costs = [epochs * 3, epochs * 2 + 1, epochs * 2];
    const [off, ...others] = ways.map((ask, n) => ({
      cost: costs[n]!,
      run: () => timed(() => steps(ask)),
    }));
    const found = await compare(off!, others);
    yield* ["once, with the updates off", "kept from an earlier run"].map((name, n) => [
      name,
      ...comparisonCells(found[n]!),
      ...bytes.map(MiB),
    ]);
  },
};

/** log π_ref(y|x) by the sequence. */
type Reference = ReadonlyMap<Int32Array, number>;

async function referenceOf(model: PolicyOnDevice): Promise<Reference> {
  const { logps } = await replyLogpsOf(model, pairs, { batchTokens, updates: false });
  return new Map(
    pairs.flatMap(({ sequences }, i) => sequences.map((ids, n) => [ids, replySum(logps[i]![n]!)])),
  );
}

/** Forwards and backwards; without the optimiser's step. */
function step(model: TrainableModel, known: Reference): void {
  const { gpu, backbone } = model;
  model.arena.clear("gradient");
  const { batch, sequences } = microBatchOf(
    pairs,
    pairs.map((_, i) => i),
  );
  const reward = new ImplicitReward(implicitForms.dpo, (ids) => known.get(ids) ?? 0, true);
  using _ = gpu.scope();
  using tape = model.tape();
  const hidden = backbone.forward(batch, batchTokens, { tape });
  const order = Int32Array.from(sequences, (_, n) => n);
  const input = { batch, sequences, order, hidden, capacity: batchTokens, rewardCapacity: order.length };
  const rewards = reward.forward(model, tape, input);
  const signs = Float32Array.from(sequences, (_, n) => (n % 2 === 0 ? -1 : 1) / sequences.length);
  tape.backward([[rewards, uploadTensor(gpu, signs, 1, "d loss / d rewards")]]);
}
