/** @file A step of reward-model training as `rmtrain train --trainable full` does it: packed, each prompt computed once. */
import type { Gpu } from "../../../src/gpu/gpu.ts";
import { openModelFolder } from "../../../src/model/model-folder.ts";
import { HUGGING_FACE_RECIPE } from "../../../src/model/recipe.ts";
import { readHead } from "../../../src/model/reward-head.ts";
import { TrainableModel } from "../../../src/model/trainable.ts";
import { exampleSet } from "../../../src/train/example-sets.ts";
import { formOf } from "../../../src/train/forms/form-of.ts";
import { planMemory } from "../../../src/train/memory-plan.ts";
import { rewardItem } from "../../../src/train/micro-batches.ts";
import { modelRewardKind } from "../../../src/train/model-rewards.ts";
import { ModelTrainer } from "../../../src/train/model-trainer.ts";
import { withDefaults } from "../../../src/train/options.ts";
import type { CaseInput, Prepared } from "../contestant.ts";
import { learningRate } from "../peer-case.ts";
import type { HostTensor } from "../tensors.ts";

export async function prepareStep(gpu: Gpu, { definition, model: dir = "" }: CaseInput): Promise<Prepared> {
  const { pairs = [] } = definition;
  await using folder = await openModelFolder(dir);
  const records = pairs.map(({ prompt, chosen, rejected }, i) => ({
    where: `pair ${i}`,
    content: { kind: "ids", prompt, replies: [chosen, rejected] } as const,
    extra: {},
  }));
  const recipe = HUGGING_FACE_RECIPE;
  const { pairs: train } = exampleSet("pairs", records, { recipe, vocabSize: folder.config.vocabSize });
  const options = withDefaults({
    ...{ model: dir, data: "", out: "", trainable: "full" },
    batchSize: pairs.length,
    logEvery: 1,
  });
  const model = await TrainableModel.load(gpu, folder, { trainable: "full", head: await readHead(folder) });
  const examples = { train, eval: [] };
  const items = train.map(rewardItem);
  const reporter = { note() {} };
  const kind = modelRewardKind(options);
  const reward = await kind.open({ gpu, folder, model, options, recipe, items, reporter });
  const form = formOf(options, examples, Math.max(...items.flatMap((i) => i.sequences.map((s) => s.length))));
  const trainer = new ModelTrainer({ model, reward, form, dropout: false }, examples, options);
  trainer.microTokens = planMemory(trainer).microTokens;
  const indices = Int32Array.from(train, (_, i) => i);
  const step = async () => {
    await trainer.step(indices, learningRate, learningRate);
    const [metrics] = await trainer.takeMetrics();
    return metrics?.batches[0]?.metrics.loss ?? Number.NaN;
  };
  return {
    run: async () => {
      await step();
    },
    results: async () => {
      const loss = await step();
      const results = new Map<string, HostTensor>([["loss", { shape: [1], values: Float32Array.of(loss) }]]);
      for (const parameter of model.parameters) {
        const shapes = new Map(parameter.stored.map(({ name, shape }) => [name, shape]));
        for (const [name, values] of await model.readParameter(parameter, "gradient"))
          results.set(name, { shape: shapes.get(name) ?? [], values });
      }
      return results;
    },
    release: () => {
      trainer[Symbol.dispose]();
      reward[Symbol.dispose]();
      model.release();
    },
  };
}
