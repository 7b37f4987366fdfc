/** @file What comes after a LoRA run: training goes on from its adapter, and merging gives its rewards. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { RewardModel } from "../../../src/audit/reward-model.ts";
import { mergeAdapter } from "../../../src/model/adapter/merge.ts";
import { openAdapter } from "../../../src/model/adapter/open-adapter.ts";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import type { KeptModel } from "../../../src/train/closing.ts";
import { loadImplicitModels } from "../../../src/train/rewards/implicit-models.ts";
import { implicitScores } from "../../../src/train/rewards/implicit-scorer.ts";
import { temporaryFolder, tinyModel } from "../../model/tiny-model.ts";
import { useGpu } from "../../support/gpu.ts";
import { relativeError } from "../../support/numbers.ts";
import { idPairs, jsonl, run } from "../records.ts";

const gpu = useGpu();
const held = idPairs(9);
const options = { trainable: "lora", lr: 0.02, loraR: 3, loraAlpha: 6, batchSize: 6 } as const;

const closing = ({ rewards }: Pick<KeptModel, "rewards">) => rewards.map((r) => [r.chosen, r.rejected]);

it("goes on from an adapter: from its rewards, with its ranks and targets", async () => {
  const model = await tinyModel({ family: "llama", architecture: "causal-lm" });
  const evalData = jsonl(held, "held.jsonl");
  const common = { ...options, model, data: jsonl(idPairs(24)), evalData };
  const first = await run(gpu(), { ...common, loraTargets: ["q_proj", "down_proj"] });
  // Nothing is learnt at a rate of 0: what is saved is what it began with.
  const { loraR: _, loraAlpha: __, ...rest } = common;
  const same = await run(gpu(), { ...rest, adapter: first.out, lr: 0, maxSteps: 1 });
  expect(closing(same)).toEqual(closing(first));
  const tensors = (dir: string) => readFileSync(join(dir, "adapter_model.safetensors"));
  expect(tensors(same.out).equals(tensors(first.out))).toBe(true);
  const further = await run(gpu(), { ...rest, adapter: first.out });
  expect(further.evaluation?.metrics.loss).toBeLessThan(first.evaluation?.metrics.loss ?? 0);
  await using base = await openModelFolder(model);
  const { parts, settings } = await openAdapter(further.out, base);
  expect({ r: settings.r, alpha: settings.alpha, parts: parts.length }).toEqual({ r: 3, alpha: 6, parts: 4 });
});

it("DPO with an update of lm_head alone: it learns, and merged it gives the closing rewards", async () => {
  const model = await tinyModel({ family: "llama", architecture: "causal-lm" });
  const rows = idPairs(24);
  const evalData = jsonl(rows.slice(0, 9), "held.jsonl");
  const common = { ...options, model, data: jsonl(rows), evalData, objective: "dpo", epochs: 4 } as const;
  const result = await run(gpu(), { ...common, loraTargets: ["lm_head"], lr: 0.05 });
  expect(result.evaluation?.metrics.loss).toBeLessThan(0.6);
  const out = join(temporaryFolder(), "merged");
  await using base = await openModelFolder(model);
  const adapter = await openAdapter(result.out, base);
  expect(adapter.parts.map(({ module }) => module.name)).toEqual(["lm_head"]);
  expect(await mergeAdapter(out, base, adapter)).toBe("language model");
  await using folder = await openModelFolder(out);
  expect(folder.config.raw).toMatchObject({ rmtrain_reward: { form: "dpo", beta: 0.1 } });
  using models = await loadImplicitModels(gpu(), folder, { reference: model });
  const items = rows.slice(0, 9).map((r) => ({
    sequences: [r.chosen_ids, r.rejected_ids].map((ids) => Int32Array.from([...r.prompt_ids, ...ids])),
    replyStarts: [r.prompt_ids.length, r.prompt_ids.length],
  }));
  const form = { reference: true, normalise: "sum", odds: false, weighsLoss: false, beta: 0.1 } as const;
  const { scores } = await implicitScores(models, form, items);
  const rewards = scores.flat().map(({ reward }) => reward);
  expect(relativeError(rewards, closing(result).flat())).toBeLessThan(1e-4);
});

it("on the repository's base with its example: merged, the rewards of the closing evaluation", async () => {
  const root = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
  const model = root("models/base-random");
  const data = jsonl(
    readFileSync(root("examples/prefs.jsonl"), "utf8")
      .split("\n")
      .filter(Boolean)
      .slice(0, 40)
      .map((line) => JSON.parse(line)),
  );
  const result = await run(gpu(), {
    model,
    data,
    trainable: "lora",
    maxSteps: 3,
    batchSize: 4,
    lr: 0.001,
    evalSplit: 0.2,
  });
  const out = join(temporaryFolder(), "merged");
  await using base = await openModelFolder(model);
  expect(await mergeAdapter(out, base, await openAdapter(result.out, base))).toBe("reward model");
  const texts = result.rewards.map(({ record: { content } }) => {
    if (content.kind !== "text") throw new Error("the example is of texts");
    return content.replies.map((reply) => content.prompt + reply);
  });
  const rewards = async (loaded: RewardModel) => (await loaded.score(texts.flat())) as readonly number[];
  using beside = await RewardModel.load(gpu(), model, { adapter: result.out });
  expect(await rewards(beside)).toEqual(closing(result).flat());
  using merged = await RewardModel.load(gpu(), out);
  expect(relativeError(await rewards(merged), closing(result).flat())).toBeLessThan(1e-5);
  expect(merged.recipe).toEqual(beside.recipe);
});
