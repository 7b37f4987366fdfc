/**
 * @file Whole language models: the trainer's path gives the losses and gradients that TRL and PyTorch computed, and the two
 * paths of the demonstration can be told apart.
 */
import { expect, it } from "vitest";
import { replyLogProbs, sharedPath, wholeBatch } from "../../../src/audit/equiv/whole/paths.ts";
import { comparePaths, gradientDistance, wholeBounds } from "../../../src/audit/equiv/whole/rows.ts";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import { TrainableModel } from "../../../src/model/trainable.ts";
import { logistic } from "../../../src/train/losses/logistic.ts";
import { unpadded } from "../../model/golden-sequences.ts";
import { type GoldenCase, goldenModel, goldenTensors } from "../../reference/goldens.ts";
import { useGpu } from "../../support/gpu.ts";
import { relativeError } from "../../support/numbers.ts";

const gpu = useGpu();
const beta = 0.1;

function goldenBatch(name: GoldenCase) {
  const golden = goldenTensors(name, "dpo");
  const rows = unpadded(golden, "dpo");
  const completion = golden.get("dpo/completion_mask").data;
  const replies = rows.map(({ ids, slice }) => ({ ids, replyStart: slice(completion).indexOf(1) }));
  const n = rows.length / 2;
  const pairs = replies.slice(0, n).map((chosen, i) => [chosen, replies[n + i]!] as const);
  return { golden, batch: wholeBatch(pairs), n };
}

it.each(["gpt2-lm", "llama-lm-tied", "qwen2-lm"] as const)(
  "%s: implicit rewards and the loss of reward models give TRL's DPO losses and gradients of all parameters",
  async (name) => {
    await using folder = await openModelFolder(goldenModel(name));
    using model = await TrainableModel.load(gpu(), folder, { trainable: "full", lmHead: true });
    const { golden, batch, n } = goldenBatch(name);
    expect(
      relativeError(await replyLogProbs(model, batch), golden.get("dpo/policy_logps.f64").data),
    ).toBeLessThan(1e-5);
    const reference = Float32Array.from(golden.get("dpo/reference_logps.f64").data);
    const { loss, rewards } = await sharedPath(model, logistic, batch, { reference, beta });
    const perPair = golden.get("dpo/sigmoid/per_pair_loss.f64").data;
    const mean = perPair.reduce((sum, value) => sum + value, 0) / n;
    expect(Math.abs(loss - mean)).toBeLessThanOrEqual(wholeBounds.loss * (1 + mean));
    const policy = golden.get("dpo/policy_logps.f64").data;
    const expected = Array.from(policy, (logp, i) => beta * (logp - reference[i]!));
    expect(relativeError(Float32Array.from(rewards), expected)).toBeLessThan(1e-4);
    const found = new Map<string, Float32Array>();
    for (const parameter of model.parameters)
      for (const [key, values] of await model.readParameter(parameter, "gradient")) found.set(key, values);
    const truth = new Map([...found.keys()].map((key) => [key, golden.get(`grad/dpo_sigmoid/${key}`).data]));
    const { gradients, worst } = gradientDistance(found, truth);
    expect(gradients).toBeLessThanOrEqual(wholeBounds.gradients);
    expect(worst).toBeLessThanOrEqual(1);
  },
);

it("both paths agree off the reference, and neither does with a wrong reference or β", async () => {
  await using folder = await openModelFolder(goldenModel("llama-lm-tied"));
  using model = await TrainableModel.load(gpu(), folder, { trainable: "full", lmHead: true });
  const { golden, batch } = goldenBatch("llama-lm-tied");
  const options = { reference: Float32Array.from(golden.get("dpo/reference_logps.f64").data), beta };
  const right = await comparePaths(model, logistic, batch, options);
  expect(right.loss).toBeLessThan(wholeBounds.loss);
  expect(right.gradients).toBeLessThan(wholeBounds.gradients);
  expect(right.worst).toBeLessThan(1);
  expect(right.rewards).toBeLessThan(1e-5);
  for (const broken of [{ reference: "none" }, { beta: "doubled on the rejected reply" }] as const) {
    const wrong = await comparePaths(model, logistic, batch, options, broken);
    expect(wrong.gradients).toBeGreaterThan(100 * wholeBounds.gradients);
  }
});
